using System.Text.Json.Serialization;
using OpenHands.Storage.ApiKeys;

namespace OpenHands.Api.ApiKeys;

/// <summary>A key to be made.</summary>
/// <param name="Name">1 to 255 characters on one line.</param>
/// <param name="Scopes">What it may be used for, at least one: `settings`, `secrets`, `sessions`, `organizations` or `keys`, each with `:read` or `:write`.</param>
/// <param name="ExpiresAt">From when it is refused, in the future; null for never.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ApiKeyRequest(
    [property: JsonRequired] string Name, [property: JsonRequired] IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt = null)
{
    private const int LongestName = 255;

    internal string? Problem(DateTimeOffset now)
    {
        if (Name is null || Name.Trim() is not { Length: > 0 and <= LongestName } name || name.Any(char.IsControl))
            return $"name must be 1 to {LongestName} characters on one line.";
        if (Scopes is not { Count: > 0 } || Scopes.Count > ApiKeyScopes.All.Count || !Scopes.All(scope => ApiKeyScopes.All.Contains(scope)))
            return $"scopes must be some of {string.Join(", ", ApiKeyScopes.All)}.";
        return ExpiresAt <= now ? "expires_at must be in the future." : null;
    }
}

/// <summary>A key to be made, as the web front end asks for it.</summary>
/// <param name="Name">1 to 255 characters on one line.</param>
/// <param name="ExpiresAt">From when it is refused; null for never.</param>
public sealed record FrontendApiKeyRequest(string? Name, DateTimeOffset? ExpiresAt);

/// <summary>A key that was made, with its text, which is shown this once.</summary>
public sealed record NewApiKey
{
    internal NewApiKey(ApiKeySummary made, string key)
    {
        (Id, Name, Prefix, OrganizationId, Scopes) = (made.Id, made.Name, made.Prefix, made.OrganizationId, made.Scopes);
        (CreatedAt, ExpiresAt, Key) = (made.CreatedAt, made.ExpiresAt, key);
    }

    /// <summary>Id of the key.</summary>
    public string Id { get; }

    /// <summary>Name to show.</summary>
    public string Name { get; }

    /// <summary>Its first characters, to recognise it by.</summary>
    public string Prefix { get; }

    /// <summary>The only organization it works in.</summary>
    public string OrganizationId { get; }

    /// <summary>What it may be used for.</summary>
    public IReadOnlyList<string> Scopes { get; }

    /// <summary>When it was made, UTC.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>Always null: it was never used.</summary>
    public DateTimeOffset? LastUsedAt { get; }

    /// <summary>From when it is refused, UTC; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; }

    /// <summary>The key itself; null in an answer that is given again (Idempotency-Key).</summary>
    public string? Key { get; }

    /// <inheritdoc />
    public override string ToString() => $"{nameof(NewApiKey)} {Prefix}…"; // that of a record would show the key
}

/// <summary>Says that a key was deleted.</summary>
/// <param name="Message">For a person.</param>
public sealed record ApiKeyDeleted(string Message);
