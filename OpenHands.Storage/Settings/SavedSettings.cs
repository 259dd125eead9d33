using System.Globalization;
using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>A user's settings as they may be shown: no key, and tool servers with masks.</summary>
/// <param name="Values">
/// Every field: what the user chose, else what the active organization gives, else what holds without either. The member
/// <c>llm_model</c> is null where nobody chose.
/// </param>
/// <param name="HasLlmApiKey">Whether there is a key for the language model: the user's own, or the organization's where it goes with the user's choices.</param>
/// <param name="HasSearchApiKey">Whether a key for the search engine is stored.</param>
/// <param name="Email">Address that identity gave, or null.</param>
/// <param name="ProviderHosts">Git providers with a stored token, and the host each token is for; null for the provider's own.</param>
/// <param name="Version">Grows with every change of the user's own; 0 when the user has none.</param>
/// <param name="InheritedVersion">Version of the organization's; 0 when it gives none.</param>
public sealed record SavedSettings(
    JsonObject Values, bool HasLlmApiKey, bool HasSearchApiKey, string? Email, IReadOnlyDictionary<string, string?> ProviderHosts, long Version,
    long InheritedVersion)
{
    /// <summary>Changes with everything that is shown here and belongs to settings.</summary>
    public string VersionText => TextOf(Version, InheritedVersion);

    internal static string TextOf(long own, long inherited) => inherited == 0
        ? own.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{own}-{inherited}");
}
