namespace OpenHands.Storage.ApiKeys;

/// <summary>A key as its owner sees it. The key itself is shown once, when it is made.</summary>
/// <param name="Id">Id of the key.</param>
/// <param name="Name">Name to show.</param>
/// <param name="Prefix">Its first characters, to recognise it by.</param>
/// <param name="OrganizationId">The only organization it works in.</param>
/// <param name="Scopes">What it may be used for.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="LastUsedAt">When it was last used, to within about a minute, UTC; null for never.</param>
/// <param name="ExpiresAt">From when it is refused, UTC; null for never.</param>
public sealed record ApiKeySummary(
    string Id, string Name, string Prefix, string OrganizationId, IReadOnlyList<string> Scopes, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt,
    DateTimeOffset? ExpiresAt);
