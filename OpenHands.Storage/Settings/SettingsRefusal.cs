namespace OpenHands.Storage.Settings;

/// <summary>Why settings were not saved; nothing was changed then.</summary>
/// <param name="Field">The first field that is wrong; null when somebody else changed the settings meanwhile.</param>
public sealed record SettingsRefusal(FieldProblem? Field);
