using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>
/// Deletes what is kept long enough, measures the queues, and finds leases whose worker is not entered: once a second, less often where
/// that takes long.
/// </summary>
internal sealed class Upkeep(WorkerRegistry registry, RescueTasks rescue, QueueUpkeep upkeep, WorkerMetrics metrics, TimeProvider time) : IElectedDuty
{
    /// <inheritdoc />
    public string Kind => "upkeep";

    /// <inheritdoc />
    public IReadOnlyCollection<string> Names { get; } = ["all"];

    /// <inheritdoc />
    public async Task DoAsync(string name, CancellationToken term)
    {
        var pace = new Pace(TimeSpan.FromSeconds(1), time);
        while (true)
        {
            using (pace.Work())
            {
                await upkeep.DeleteExpiredAsync(term);
                metrics.Measure(await upkeep.DepthsAsync(term));
                if (await registry.StrayAsync(term) is { Count: > 0 } stray)
                    await rescue.OfAsync(stray, term);
            }

            await Task.Delay(pace.Rest, time, term);
        }
    }
}
