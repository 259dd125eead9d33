namespace OpenHands.Api.Auth;

/// <summary>Who may call a route. Every route says it; a test tries every route as everybody else.</summary>
/// <param name="Callers">The least that a caller must be.</param>
/// <param name="Area">What a key's scope must name, one of the areas of `ApiKeyScopes`; null where any key will do.</param>
internal sealed record Audience(Callers Callers, string? Area = null);

/// <summary>What a caller must be.</summary>
internal enum Callers
{
    /// <summary>Nobody in particular.</summary>
    Anyone,

    /// <summary>A user, who acts on what is their own.</summary>
    User,

    /// <summary>A member of the organization in the path.</summary>
    Member,

    /// <summary>An admin of the organization in the path.</summary>
    Admin,
}
