using System.Text.Json.Nodes;

namespace OpenHands.Storage.Settings;

/// <summary>The members of a posted JSON object, read with their types. What does not fit is noted as a problem and reads as empty.</summary>
internal sealed class JsonMembers
{
    private readonly string _path;
    private readonly JsonObject _members;
    private readonly List<FieldProblem> _problems;

    /// <summary>Takes the object at <paramref name="path"/>, which may have no other members than the known ones.</summary>
    public JsonMembers(string path, JsonNode? node, List<FieldProblem> problems, params string[] known)
    {
        _path = path;
        _problems = problems;
        _members = node as JsonObject ?? [];
        if (node is not JsonObject)
            Refuse(path, "an object");
        if (_members.Any(member => !known.Contains(member.Key)))
            Refuse(path, $"an object with no other members than {string.Join(", ", known)}");
    }

    /// <summary>The elements of a list with their paths; none when it is absent or null.</summary>
    public IReadOnlyList<(string Path, JsonNode? Node)> Items(string name, int most)
    {
        if (_members[name] is not { } node)
            return [];
        if (node is JsonArray list && list.Count <= most)
            return [.. list.Select((element, index) => ($"{PathOf(name)}[{index}]", element))];
        Refuse(PathOf(name), $"a list of at most {most} elements");
        return [];
    }

    /// <summary>A text that must be there.</summary>
    public string Text(string name, int longest, Func<string, bool> fits, string expected)
    {
        if (_members[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length <= longest && fits(text))
            return text;
        Refuse(PathOf(name), $"{expected}, at most {longest} characters");
        return "";
    }

    /// <summary>A text on one line that may be absent or null.</summary>
    public string? OptionalText(string name, int longest)
    {
        if (_members[name] is not { } node)
            return null;
        if (node is JsonValue value && SettingsField.OneLine(value, longest) is { } text)
            return text.GetValue<string>();
        Refuse(PathOf(name), $"text of at most {longest} characters on one line, or null");
        return null;
    }

    /// <summary>A whole number that may be absent or null.</summary>
    public int? Whole(string name, int least, int most)
    {
        if (_members[name] is not { } node)
            return null;
        if (node is JsonValue value && value.TryGetValue<int>(out var number) && number >= least && number <= most)
            return number;
        Refuse(PathOf(name), $"a whole number from {least} to {most}, or null");
        return null;
    }

    /// <summary>A list of texts; empty when it is absent or null.</summary>
    public IReadOnlyList<string> Texts(string name, int most, int longest) =>
        [.. Items(name, most).Select(item => AnyText(item.Path, item.Node, longest))];

    /// <summary>An object whose values are texts; empty when it is absent or null.</summary>
    public IReadOnlyDictionary<string, string> TextMap(string name, int most, int longest)
    {
        if (_members[name] is not { } node)
            return new Dictionary<string, string>();
        if (node is JsonObject map && map.Count <= most && map.All(member => IsVariableName(member.Key)))
            return map.ToDictionary(member => member.Key, member => AnyText($"every value of {PathOf(name)}", member.Value, longest));
        Refuse(PathOf(name), $"an object of at most {most} variables whose names are neither empty nor contain =");
        return new Dictionary<string, string>();
    }

    private static bool IsVariableName(string name) => name.Length is > 0 and <= 256 && !name.Contains('=');

    private string AnyText(string path, JsonNode? node, int longest)
    {
        if (node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length <= longest)
            return text;
        Refuse(path, $"text of at most {longest} characters");
        return "";
    }

    private string PathOf(string name) => $"{_path}.{name}";

    private void Refuse(string path, string expected) => _problems.Add(new(path, expected));
}
