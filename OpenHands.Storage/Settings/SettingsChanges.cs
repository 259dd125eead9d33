using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>What a posted settings object asks for, checked field by field. A field that it does not name is left alone.</summary>
internal sealed class SettingsChanges
{
    /// <summary>Shown in place of a key; posted back, it means the stored one.</summary>
    public const string Mask = "**********";

    private readonly Dictionary<SettingsField, JsonNode?> _fields = [];
    private readonly Dictionary<string, string?> _keys = [];

    /// <summary>New values of fields of the document; null means what holds when nothing is stored.</summary>
    public IReadOnlyDictionary<SettingsField, JsonNode?> Fields => _fields;

    /// <summary>New keys; null clears.</summary>
    public IReadOnlyDictionary<string, string?> Keys => _keys;

    /// <summary>Whether the tool servers are replaced by <see cref="McpConfig"/>.</summary>
    public bool ReplacesMcpConfig { get; private set; }

    /// <summary>The new tool servers, masks among their keys; null means none were ever configured.</summary>
    public McpConfig? McpConfig { get; private set; }

    /// <summary>Reads a posted object. Members that are computed, belong to identity or are unknown are ignored.</summary>
    /// <param name="posted">The object as it was posted.</param>
    /// <param name="problems">Takes what is wrong; the result is of use only while it stays empty.</param>
    public static SettingsChanges Read(JsonObject posted, List<FieldProblem> problems)
    {
        var changes = new SettingsChanges();
        if (!WellFormedText.In(posted))
        {
            problems.Add(new("settings", "an object whose texts are valid Unicode without NUL characters"));
            return changes;
        }

        foreach (var field in SettingsFields.Document)
        {
            if (posted.TryGetPropertyValue(field.Name, out var value))
                changes.ReadField(field, value, problems);
        }

        foreach (var (name, emptyClears) in SettingsFields.KeysAndWhetherEmptyClears)
        {
            if (posted.TryGetPropertyValue(name, out var value) && value is not null)
                changes.ReadKey(name, value, emptyClears, problems);
        }

        changes.ReplacesMcpConfig = posted.TryGetPropertyValue(SettingsFields.McpConfig, out var servers);
        changes.McpConfig = servers is null ? null : McpConfigReader.Read(servers, problems);
        return changes;
    }

    private void ReadField(SettingsField field, JsonNode? value, List<FieldProblem> problems)
    {
        if (value is null || (field.BlankIsNull && value is JsonValue text && text.TryGetValue<string>(out var s) && string.IsNullOrWhiteSpace(s)))
        {
            if (!field.KeepsOnNull)
                _fields[field] = field.Default?.DeepClone();
        }
        else if (value is JsonValue scalar && field.Read(scalar) is { } stored)
        {
            _fields[field] = stored;
        }
        else
        {
            problems.Add(new(field.Name, field.Expected));
        }
    }

    private void ReadKey(string name, JsonNode value, bool emptyClears, List<FieldProblem> problems)
    {
        if (value is not JsonValue scalar || !scalar.TryGetValue<string>(out var key))
        {
            problems.Add(new(name, "text or null"));
            return;
        }

        key = key.Trim();
        if (key.Length > SettingsFields.LongestKey || key.Any(char.IsControl))
            problems.Add(new(name, $"a key of at most {SettingsFields.LongestKey} characters on one line"));
        else if (key.Length > 0 && key != Mask)
            _keys[name] = key;
        else if (key.Length == 0 && emptyClears)
            _keys[name] = null;
    }
}
