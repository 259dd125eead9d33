using System.Globalization;
using System.Text;
using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Telemetry;

/// <summary>Attributes as text: as many and as long as a page can use, whatever was sent.</summary>
internal static class Attributes
{
    /// <summary>How many are kept of one log line, span, event or series.</summary>
    public const int Most = 64;

    /// <summary>How many characters are kept of a value.</summary>
    public const int LongestValue = 4096;

    private const int LongestName = 256;
    private const int DeepestValue = 4;
    private const int EntryOverhead = 48;

    /// <summary>Takes attributes over, in the order they came.</summary>
    public static KeyValuePair<string, string>[] Read(IReadOnlyCollection<KeyValue> attributes) => attributes.Count == 0
        ? []
        : [.. attributes.Take(Most).Select(attribute => KeyValuePair.Create(Names.Shared(Cut(attribute.Key, LongestName)), Text(attribute.Value)))];

    /// <summary>The value of an attribute; null when there is none of that name.</summary>
    public static string? Find(this IReadOnlyList<KeyValuePair<string, string>> attributes, string name)
    {
        foreach (var (key, value) in attributes)
        {
            if (key == name)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>A value as text, cut when it is long or deep.</summary>
    public static string Text(AnyValue? value)
    {
        switch (value?.ValueCase)
        {
            case AnyValue.ValueOneofCase.StringValue:
                return Cut(value.StringValue, LongestValue);
            case AnyValue.ValueOneofCase.BoolValue:
                return value.BoolValue ? "true" : "false";
            case AnyValue.ValueOneofCase.IntValue:
                return value.IntValue.ToString(CultureInfo.InvariantCulture);
            case AnyValue.ValueOneofCase.DoubleValue:
                return value.DoubleValue.ToString("R", CultureInfo.InvariantCulture);
            case null or AnyValue.ValueOneofCase.None:
                return "";
            default:
                var text = new StringBuilder();
                Append(text, value, 0);
                return Cut(text.ToString(), LongestValue);
        }
    }

    /// <summary>The first characters of a text that may be long.</summary>
    public static string Cut(string text, int length) => text.Length <= length ? text : text[..length] + "…";

    /// <summary>About the bytes that attributes take.</summary>
    public static int Size(IReadOnlyList<KeyValuePair<string, string>> attributes)
    {
        var size = 0;
        foreach (var (_, value) in attributes)
        {
            size += EntryOverhead + (2 * value.Length);
        }

        return size;
    }

    private static void Append(StringBuilder text, AnyValue? value, int depth)
    {
        if (depth > DeepestValue || text.Length > LongestValue)
        {
            text.Append('…');
            return;
        }

        switch (value?.ValueCase)
        {
            case AnyValue.ValueOneofCase.ArrayValue:
                AppendAll(text, '[', ']', value.ArrayValue.Values, item => Append(text, item, depth + 1));
                break;
            case AnyValue.ValueOneofCase.KvlistValue:
                AppendAll(text, '{', '}', value.KvlistValue.Values, item =>
                {
                    text.Append(item.Key).Append(": ");
                    Append(text, item.Value, depth + 1);
                });
                break;
            case AnyValue.ValueOneofCase.BytesValue:
                text.Append(Convert.ToHexStringLower(value.BytesValue.Span[..Math.Min(value.BytesValue.Length, LongestName)]));
                break;
            default:
                text.Append(Text(value));
                break;
        }
    }

    private static void AppendAll<T>(StringBuilder text, char open, char close, IEnumerable<T> items, Action<T> append)
    {
        text.Append(open);
        foreach (var (index, item) in items.Take(Most).Index())
        {
            text.Append(index == 0 ? "" : ", ");
            append(item);
        }

        text.Append(close);
    }
}
