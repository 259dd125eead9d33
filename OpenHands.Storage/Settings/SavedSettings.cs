using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>A user's settings as they may be shown: no key, and tool servers with masks.</summary>
/// <param name="Values">
/// Every field: the stored value, else what holds without one. The member <c>llm_model</c> is null for a user who never chose.
/// </param>
/// <param name="HasLlmApiKey">Whether a key for the language model is stored.</param>
/// <param name="HasSearchApiKey">Whether a key for the search engine is stored.</param>
/// <param name="Email">Address that identity gave, or null.</param>
/// <param name="ProviderHosts">Git providers with a stored token, and the host each token is for; null for the provider's own.</param>
/// <param name="Version">Grows with every change.</param>
public sealed record SavedSettings(
    JsonObject Values, bool HasLlmApiKey, bool HasSearchApiKey, string? Email, IReadOnlyDictionary<string, string?> ProviderHosts, long Version);
