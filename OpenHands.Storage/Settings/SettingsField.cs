using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>One field of the settings document: what may be posted for it, and what holds when nothing is stored.</summary>
/// <param name="Name">Name in the document and on the wire.</param>
/// <param name="Expected">What a posted value must be; completes "… must be".</param>
/// <param name="Read">The value as it is stored; null when it is refused. A posted null is never asked for.</param>
internal sealed record SettingsField(string Name, string Expected, Func<JsonValue, JsonValue?> Read)
{
    /// <summary>Holds while nothing is stored. Null for most fields.</summary>
    public JsonNode? Default { get; init; }

    /// <summary>Whether a posted null leaves the stored value alone, where it otherwise sets <see cref="Default"/>.</summary>
    public bool KeepsOnNull { get; init; }

    /// <summary>Whether a posted text without a visible character means null.</summary>
    public bool BlankIsNull { get; init; }

    /// <summary>Text on one line.</summary>
    public static SettingsField Text(string name, int longest) => new(
        name, $"text of at most {longest} characters on one line, or null", value => OneLine(value, longest));

    /// <summary>True or false; with a default, null goes back to it.</summary>
    public static SettingsField Flag(string name, bool? preset = null) => new(
        name, preset is null ? "true, false or null" : "true or false", value => value.TryGetValue<bool>(out var flag) ? JsonValue.Create(flag) : null)
    {
        Default = preset,
    };

    /// <summary>A whole number.</summary>
    public static SettingsField Whole(string name, int least = int.MinValue) => new(
        name,
        least == int.MinValue ? "a whole number or null" : $"a whole number, {least} or more, or null",
        value => value.TryGetValue<int>(out var number) && number >= least ? JsonValue.Create(number) : null);

    /// <summary>An amount of money.</summary>
    public static SettingsField Amount(string name) => new(
        name,
        "a number, 0 or more, or null",
        // A posted number may have thousands of digits; as a double it always fits into jsonb.
        value => value.TryGetValue<double>(out var number) && double.IsFinite(number) && number >= 0 ? JsonValue.Create(number + 0.0) : null);

    /// <summary>The value when it is text on one line, and no longer than allowed.</summary>
    internal static JsonValue? OneLine(JsonValue value, int longest) =>
        value.TryGetValue<string>(out var text) && text.Length <= longest && !text.Any(char.IsControl) ? JsonValue.Create(text) : null;
}
