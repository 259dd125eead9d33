using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>Looks in PostgreSQL for queues that have tasks, twice a second; less often where that takes long.</summary>
internal sealed class DatabaseScanner(WaitingTasks waiting, KnownQueues known, TimeProvider time) : BackgroundService
{
    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // nothing to trace
        var pace = new Pace(TimeSpan.FromMilliseconds(500), time);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using (pace.Work())
                {
                    foreach (var queue in await waiting.QueuesAsync(stoppingToken))
                        known.Saw(queue);
                }
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure) || failure is OperationCanceledException)
            {
                // Others say in the log that PostgreSQL is away.
            }

            await Task.Delay(pace.Rest, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
