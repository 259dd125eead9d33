using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OpenHands.ServiceDefaults.Integrations.Redis;

/// <summary>Writes the spans of Redis commands once a second, and the last ones after everything else has stopped.</summary>
internal sealed partial class RedisSpanWriter(RedisProfiler profiler, TimeProvider time, ILogger<RedisSpanWriter> logger)
    : BackgroundService, IHostedLifecycleService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        // Here and not in StopAsync: services that stop after this one still use Redis. The exporter flushes later.
        Write();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            Write();
    }

    private void Write()
    {
        if (profiler.Drain() is > 0 and var untraced)
            LogUntraced(untraced, RedisProfiler.MaxCommands);
    }

    [LoggerMessage(Level = LogLevel.Debug,
        Message = "{Untraced} Redis commands went without a span: at most {Maximum} a second get one")]
    private partial void LogUntraced(int untraced, int maximum);
}
