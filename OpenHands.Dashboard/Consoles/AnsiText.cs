using System.Globalization;

namespace OpenHands.Dashboard.Consoles;

/// <summary>A line with the terminal's colour codes taken apart. Every other control sequence is left out.</summary>
internal static class AnsiText
{
    private const char Escape = '\u001b';
    private static readonly string[] Colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

    /// <summary>The pieces of a line, each with its CSS classes.</summary>
    public static IReadOnlyList<(string Text, string Style)> Parse(string line)
    {
        if (!line.Contains(Escape, StringComparison.Ordinal))
        {
            return [(line, "")];
        }

        var pieces = new List<(string, string)>();
        var (style, from) = (default(AnsiStyle), 0);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] != Escape)
            {
                continue;
            }

            Add(line[from..i]);
            var end = End(line, i);
            if (end < line.Length && line[end] == 'm' && i + 1 < end)
            {
                style = Apply(style, line[(i + 2)..end]);
            }

            i = Math.Min(end, line.Length - 1);
            from = i + 1;
        }

        Add(line[Math.Min(from, line.Length)..]);
        return pieces;

        void Add(string text)
        {
            if (text.Length > 0)
            {
                pieces.Add((text, style.Classes));
            }
        }
    }

    /// <summary>The line without its codes.</summary>
    public static string Plain(string line) => string.Concat(Parse(line).Select(piece => piece.Text));

    /// <summary>Where a sequence ends: at its final letter, or at the end of a line that breaks off.</summary>
    private static int End(string line, int start)
    {
        if (start + 1 >= line.Length || line[start + 1] != '[')
        {
            return Math.Min(start + 1, line.Length);
        }

        var end = start + 2;
        while (end < line.Length && line[end] is < '@' or > '~')
        {
            end++;
        }

        return end;
    }

    private static AnsiStyle Apply(AnsiStyle style, string codes)
    {
        var parts = codes.Split(';');
        for (var i = 0; i < parts.Length; i++)
        {
            var code = parts[i].Length == 0 ? 0 : int.TryParse(parts[i], CultureInfo.InvariantCulture, out var number) ? number : -1;
            if (code is 38 or 48)
            {
                // A colour of 256, or of 16 million: shown in the ordinary one.
                i += i + 1 < parts.Length && parts[i + 1] == "2" ? 4 : 2;
                continue;
            }

            style = code switch
            {
                0 => default,
                1 => style with { Bold = true },
                22 => style with { Bold = false },
                39 => style with { Colour = null },
                49 => style with { Background = null },
                >= 30 and <= 37 => style with { Colour = Colours[code - 30] },
                >= 90 and <= 97 => style with { Colour = Colours[code - 90] },
                >= 40 and <= 47 => style with { Background = Colours[code - 40] },
                >= 100 and <= 107 => style with { Background = Colours[code - 100] },
                _ => style,
            };
        }

        return style;
    }

    private readonly record struct AnsiStyle(string? Colour, string? Background, bool Bold)
    {
        public string Classes => string.Join(' ', new[]
        {
            Colour is null ? null : $"ansi-{Colour}", Background is null ? null : $"ansi-on-{Background}", Bold ? "ansi-bold" : null,
        }.OfType<string>());
    }
}
