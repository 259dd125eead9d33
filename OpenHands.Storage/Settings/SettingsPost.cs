using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>What a user posted, and what it is judged by.</summary>
/// <param name="Members">The posted members.</param>
/// <param name="PlatformModel">The model of users who chose none and whose organization gives none; null for none.</param>
/// <param name="Version">The <see cref="SavedSettings.VersionText"/> that the caller saw; null for any.</param>
public sealed record SettingsPost(JsonObject Members, string? PlatformModel = null, string? Version = null);
