using System.Globalization;
using System.Text;

namespace OpenHands.Storage.Audit;

/// <summary>A set of positions, written as <c>1-40,57</c>.</summary>
internal sealed class PositionRanges
{
    private readonly List<(long First, long Last)> _ranges = [];

    /// <summary>Adds ranges that <see cref="Write"/> made.</summary>
    /// <exception cref="FormatException">It was not made by that.</exception>
    public void Add(string text)
    {
        foreach (var range in text.Split(','))
        {
            var ends = range.Split('-');
            var first = long.Parse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture);
            _ranges.Add((first, ends.Length == 1 ? first : long.Parse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>Makes them ready to be asked.</summary>
    public void Sort() => _ranges.Sort();

    /// <summary>Whether a position is in the set.</summary>
    public bool Contains(long position)
    {
        var at = _ranges.BinarySearch((position, long.MaxValue));
        var before = at >= 0 ? at : ~at - 1;
        return before >= 0 && _ranges[before].First <= position && position <= _ranges[before].Last;
    }

    /// <summary>Writes positions, given in their order.</summary>
    public static string Write(IEnumerable<long> positions)
    {
        var text = new StringBuilder();
        (long First, long Last)? range = null;
        foreach (var position in positions)
        {
            if (range is { } open && position == open.Last + 1)
            {
                range = (open.First, position);
                continue;
            }

            Append(text, range);
            range = (position, position);
        }

        Append(text, range);
        return text.ToString();
    }

    private static void Append(StringBuilder text, (long First, long Last)? range)
    {
        if (range is not { } closed)
            return;
        if (text.Length > 0)
            text.Append(',');
        text.Append(CultureInfo.InvariantCulture, $"{closed.First}");
        if (closed.Last > closed.First)
            text.Append(CultureInfo.InvariantCulture, $"-{closed.Last}");
    }
}
