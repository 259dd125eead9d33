namespace OpenHands.Dashboard.Telemetry;

/// <summary>One series of an instrument as a page shows it.</summary>
/// <param name="Name">Its attributes as text; empty for the only one.</param>
/// <param name="Attributes">Its attributes.</param>
/// <param name="Latest">The latest value; of a counter the sum so far, of a histogram how many values.</param>
/// <param name="Median">Of a histogram the middle value of the last interval with values.</param>
/// <param name="NinetyNinth">Of a histogram the value below which 99 of 100 values of that interval lie.</param>
/// <param name="Points">Of a gauge its values, of others what came in each interval; newest last.</param>
/// <param name="Time">When the latest value was measured (UTC).</param>
internal sealed record SeriesView(
    string Name, IReadOnlyList<KeyValuePair<string, string>> Attributes, double Latest, double? Median, double? NinetyNinth, IReadOnlyList<double> Points, DateTime Time);
