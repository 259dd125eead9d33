using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OpenHands.Worker.Operators;

/// <summary>Rows for a terminal: one column for each property, as wide as its widest value.</summary>
internal static class TextTable
{
    /// <summary>Writes the rows.</summary>
    public static string Of<T>(IReadOnlyList<T> rows)
    {
        var properties = typeof(T).GetProperties();
        List<string[]> lines =
        [
            [.. properties.Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name))],
            .. rows.Select(row => properties.Select(property => Text(property.GetValue(row))).ToArray()),
        ];
        var widths = Enumerable.Range(0, properties.Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var line in lines)
            text.AppendLine(string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
        return text.ToString().TrimEnd();
    }

    private static string Text(object? value) => value switch
    {
        null => "-",
        DateTimeOffset instant => instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        double number => number.ToString("0.0", CultureInfo.InvariantCulture),
        // What others wrote must not command the terminal.
        string text => string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter)),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
