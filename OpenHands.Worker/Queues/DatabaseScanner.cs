using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>Looks in PostgreSQL for queues that have tasks, twice a second.</summary>
internal sealed class DatabaseScanner(WaitingTasks waiting, KnownQueues known, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // nothing to trace
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                foreach (var queue in await waiting.QueuesAsync(stoppingToken))
                    known.Saw(queue);
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure) || failure is OperationCanceledException)
            {
                // Others say in the log that PostgreSQL is away.
            }

            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
