using OpenHands.Dashboard.Telemetry;

namespace OpenHands.Dashboard.Queues;

/// <summary>How a queue is doing, as the workers' metrics tell.</summary>
/// <param name="Name">The queue.</param>
/// <param name="Depth">Tasks that are due and that nobody has; null when no worker says.</param>
/// <param name="OldestAge">How long the oldest of them has been due.</param>
/// <param name="Consumed">Tasks leased so far.</param>
/// <param name="Rate">Tasks leased in each interval, newest last.</param>
/// <param name="Outcomes">What became of tasks, with how many.</param>
/// <param name="Median">The middle duration of a task, in seconds; null when none has ended.</param>
internal sealed record QueueRow(
    string Name, double? Depth, double? OldestAge, double Consumed, IReadOnlyList<double> Rate, IReadOnlyList<(string Outcome, double Count)> Outcomes, double? Median)
{
    private const string Destination = "messaging.destination.name";
    private const int LastMinute = 60;

    /// <summary>Tasks leased in the last minute or so.</summary>
    public double ConsumedLately => Rate.TakeLast(LastMinute).Sum();

    /// <summary>All queues that the metrics speak of, by name.</summary>
    public static IReadOnlyList<QueueRow> Read(MetricStore metrics)
    {
        var series = metrics.Find(null)
            .SelectMany(instrument => instrument.Series, (instrument, series) => (Instrument: instrument.Key.Name, Series: series, Queue: series.Attributes.Find(Destination)))
            .Where(row => row.Queue is not null)
            .ToLookup(row => row.Queue!, row => (row.Instrument, row.Series));
        return [.. series.OrderBy(queue => queue.Key, StringComparer.Ordinal).Select(queue => Read(queue.Key, queue.ToLookup(row => row.Instrument, row => row.Series)))];
    }

    private static QueueRow Read(string name, ILookup<string, SeriesView> series)
    {
        var consumed = series["messaging.client.consumed.messages"].ToList();
        var processed = series["messaging.process.duration"].ToList();
        return new QueueRow(
            name,
            Newest(series["openhands.queue.depth"]),
            Newest(series["openhands.queue.oldest_age"]),
            consumed.Sum(one => one.Latest),
            Sum(consumed),
            [.. processed.GroupBy(one => one.Attributes.Find("openhands.task.outcome") ?? "ended").Select(group => (group.Key, group.Sum(one => one.Latest))).OrderBy(outcome => outcome.Key, StringComparer.Ordinal)],
            processed.Select(one => one.Median).Where(median => median is not null).DefaultIfEmpty(null).Average());
    }

    /// <summary>One worker at a time measures a queue as a whole: the one that said it last.</summary>
    private static double? Newest(IEnumerable<SeriesView> series) => series.MaxBy(one => one.Time)?.Latest;

    private static List<double> Sum(List<SeriesView> series)
    {
        var length = series.Count == 0 ? 0 : series.Max(one => one.Points.Count);
        return [.. Enumerable.Range(1, length).Reverse().Select(fromEnd => series.Sum(one => fromEnd <= one.Points.Count ? one.Points[^fromEnd] : 0))];
    }
}
