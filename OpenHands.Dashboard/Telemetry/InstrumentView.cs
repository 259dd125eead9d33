namespace OpenHands.Dashboard.Telemetry;

/// <summary>An instrument as a page shows it.</summary>
/// <param name="Key">Whose it is, and its name.</param>
/// <param name="Description">What it measures.</param>
/// <param name="Unit">In which unit, as UCUM writes it.</param>
/// <param name="Kind">How its values are read.</param>
/// <param name="Series">One for each set of attributes.</param>
internal sealed record InstrumentView(InstrumentKey Key, string Description, string Unit, InstrumentKind Kind, IReadOnlyList<SeriesView> Series)
{
    /// <summary>The latest value over all series: the sum, or for a histogram how many values.</summary>
    public double Latest => Series.Sum(series => series.Latest);

    /// <summary>The middle value of the last interval with values, over all series of a histogram; null for others.</summary>
    public double? Median => Series.Select(series => series.Median).Where(value => value is not null).DefaultIfEmpty(null).Average();

    /// <summary>The series added up, moment by moment, newest last.</summary>
    public IReadOnlyList<double> Points
    {
        get
        {
            var length = Series.Count == 0 ? 0 : Series.Max(series => series.Points.Count);
            return [.. Enumerable.Range(0, length).Select(i => Series.Sum(series => At(series.Points, i - length)))];
        }
    }

    private static double At(IReadOnlyList<double> points, int fromEnd) => -fromEnd <= points.Count ? points[points.Count + fromEnd] : 0;
}
