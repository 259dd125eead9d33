using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Fills the list of a queue from PostgreSQL, fairly between those who share it: at once when it runs low, and at least every quarter of a second.</summary>
internal sealed partial class QueueFeeder(
    QueueWindow window,
    WaitingTasks waiting,
    WorkerRegistry registry,
    QueueRules rules,
    QueueRulebook rulebook,
    Adopter adopter,
    KnownQueues known,
    QueueSignals signals,
    TimeProvider time,
    ILogger<QueueFeeder> logger) : IElectedDuty
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc />
    public string Kind => "feed";

    /// <inheritdoc />
    public IReadOnlyCollection<string> Names => [.. known.Current().Select(queue => queue.Name)];

    /// <inheritdoc />
    public async Task DoAsync(string name, CancellationToken term)
    {
        var (feed, ranLow) = (new Feed(name, time), (bool?)null);
        while (true)
        {
            term.ThrowIfCancellationRequested();
            try
            {
                while (await FeedAsync(feed, ranLow, term))
                    ranLow = null;
                feed.IsFilled();
            }
            catch (WrongTypeException)
            {
                LogWrongType(name);
                await Task.Delay(TimeSpan.FromMinutes(1), time, term);
            }

            ranLow = await signals.Low(name).WaitAsync(Interval, term);
        }
    }

    // Why it looks: somebody said that the list runs low, nobody did for as long as it waits, or null for another reason. True when the list was
    // opened: who committed between the look and that moment pushed nothing, and only another look sees it.
    private async Task<bool> FeedAsync(Feed feed, bool? ranLow, CancellationToken term)
    {
        if (feed.IsDueForUpkeep())
            await KeepUpAsync(feed, term);
        var rule = await rulebook.FindAsync(feed.Queue, term);
        if (rule is { IsPaused: true })
        {
            await window.FeedAsync(feed.Queue, 0, hasMore: true, []);
            return false;
        }

        var length = (int)Math.Min(await window.LengthAsync(feed.Queue), int.MaxValue);
        if (ranLow is { } low)
            feed.Adapt(low, length);
        var wanted = feed.Wanted;
        if (length > 4 * wanted)
            length = await ThinOutAsync(feed.Queue, wanted, term);
        if (length >= wanted)
        {
            await window.FeedAsync(feed.Queue, wanted, hasMore: true, []);
            return false;
        }

        feed.Held = length;
        var running = rule is null ? null : await waiting.RunningAsync(feed.Queue, term);
        var (ids, hasMore) = await feed.ChooseAsync(waiting, wanted - length, rule, running, term);
        var (pushed, opened) = await window.FeedAsync(feed.Queue, wanted, hasMore, ids);
        if (pushed > 0)
            signals.Wake(feed.Queue);
        return opened;
    }

    private async Task KeepUpAsync(Feed feed, CancellationToken term)
    {
        await waiting.MakeDueAsync(feed.Queue, term);
        if (!feed.IsDueForSlowUpkeep())
            return;
        feed.Slots = await registry.SlotsAsync(term);
        feed.Weights = await rules.WeightsAsync(feed.Queue, term);

        // Whoever took them has had time enough: it died before it could adopt them.
        var left = await window.AdoptingAsync(feed.Queue);
        var abandoned = feed.Abandoned(left);
        if (abandoned.Count > 0)
            await adopter.AdoptAsync(feed.Queue, abandoned, term);
    }

    // Somebody pushed more values than fit into a window: they belong into PostgreSQL. Ids among them come again.
    private async Task<int> ThinOutAsync(string queue, int wanted, CancellationToken term)
    {
        while (true)
        {
            var taken = await window.TakeAsync(queue, 256);
            if (taken.Values.Count > 0)
                await adopter.AdoptAsync(queue, taken.Values, term);
            if (taken.Left <= wanted || taken.Ids.Count + taken.Values.Count == 0)
                return taken.Left;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The key queue:{Queue} holds another type than docs/redis-keys.md says; it is not fed")]
    private partial void LogWrongType(string queue);
}
