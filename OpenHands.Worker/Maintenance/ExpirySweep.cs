using OpenHands.Storage.Expiry;

namespace OpenHands.Worker.Maintenance;

/// <summary>Sweeps out what has expired, every ten minutes. Nothing depends on it: readers pass over what is past its time.</summary>
internal sealed partial class ExpirySweep(ExpiredRows rows, TimeProvider time, ILogger<ExpirySweep> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var (table, count) in await rows.SweepAsync(stoppingToken))
                    Swept(count, table);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                NotSwept(Pause, failure);
            }
        }
    }

    [LoggerMessage(LogLevel.Debug, "Swept {Count} expired rows out of {Table}")]
    private partial void Swept(int count, string table);

    [LoggerMessage(LogLevel.Warning, "Expired rows cannot be swept out now, next attempt in {Delay}")]
    private partial void NotSwept(TimeSpan delay, Exception failure);
}
