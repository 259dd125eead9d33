using System.Text;

namespace OpenHands.Hosting.Publishing.Compose;

/// <summary>The little of YAML that a file for Compose needs. Every scalar is in quotes: nothing is taken for a number or a flag.</summary>
internal sealed class ComposeYaml
{
    private readonly StringBuilder _text = new();

    /// <summary>A remark.</summary>
    public void Comment(string text) => Line(0, $"# {text}");

    /// <summary>A member that others follow below.</summary>
    public void Section(int depth, string name) => Line(depth, $"{name}:");

    /// <summary>A member without anything.</summary>
    public void Empty(int depth, string name) => Line(depth, $"{name}: {{}}");

    /// <summary>A member with a text.</summary>
    public void Value(int depth, string name, string value) => Line(depth, $"{name}: {Quoted(value)}");

    /// <summary>A member with texts; left out when there are none.</summary>
    public void List(int depth, string name, IReadOnlyCollection<string> values)
    {
        if (values.Count > 0)
            Line(depth, $"{name}: [{string.Join(", ", values.Select(Quoted))}]");
    }

    /// <summary>A member with members of texts; left out when there are none.</summary>
    public void Map(int depth, string name, IEnumerable<KeyValuePair<string, string>> values)
    {
        var members = values.ToList();
        if (members.Count > 0)
            Section(depth, name);
        Map(depth + 1, members);
    }

    /// <summary>Members with texts.</summary>
    public void Map(int depth, IEnumerable<KeyValuePair<string, string>> values)
    {
        foreach (var (name, value) in values)
            Value(depth, name, value);
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    // https://yaml.org/spec/1.2.2/#double-quoted-style
    private static string Quoted(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' or '\\' => quoted.Append('\\').Append(c),
                '\n' => quoted.Append("\\n"),
                _ when char.IsControl(c) => quoted.Append($"\\u{(int)c:x4}"),
                _ => quoted.Append(c),
            };
        }

        return quoted.Append('"').ToString();
    }

    private void Line(int depth, string text) => _text.Append(' ', depth * 2).Append(text).Append('\n');
}
