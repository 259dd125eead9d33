namespace OpenHands.Storage.ApiKeys;

/// <summary>For whom a key speaks.</summary>
/// <param name="KeyId">Id of the key.</param>
/// <param name="UserId">The user.</param>
/// <param name="OrganizationId">The only organization it works in.</param>
/// <param name="Scopes">What it may be used for: <see cref="ApiKeyScopes"/>.</param>
/// <param name="ExpiresAt">From when it is refused; null for never.</param>
public sealed record ApiKeyCaller(string KeyId, string UserId, string OrganizationId, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt);
