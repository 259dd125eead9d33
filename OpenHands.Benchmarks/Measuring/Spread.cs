using System.Globalization;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>What several turns measured of one thing.</summary>
/// <param name="Median">The one in the middle.</param>
/// <param name="Least">The least.</param>
/// <param name="Most">The most.</param>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    /// <summary>Of the values in any order, at least one.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return new Spread(sorted[sorted.Count / 2], sorted[0], sorted[^1]);
    }

    /// <inheritdoc />
    public override string ToString() => ToString("F1");

    /// <summary>Median and range in a format for numbers.</summary>
    public string ToString(string format) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Median.ToString(format, CultureInfo.InvariantCulture)} ({Least.ToString(format, CultureInfo.InvariantCulture)}–{Most.ToString(format, CultureInfo.InvariantCulture)})");
}
