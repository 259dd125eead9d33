using System.Text.Json;
using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>Keeps looking for new queues, at a bounded rate.</summary>
internal sealed partial class QueueScanner(
    QueueDiscovery discovery, KnownQueues known, TimeProvider time, ILogger<QueueScanner> logger) : BackgroundService
{
    private static readonly TimeSpan BetweenSteps = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan BetweenPasses = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly HashSet<string> _warned = [];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // nothing to trace
        try
        {
            while (true)
                await Task.Delay(await StepAsync(), time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The worker stops.
        }
    }

    private async Task<TimeSpan> StepAsync()
    {
        try
        {
            foreach (var found in await discovery.StepAsync(known.Contains))
                Note(found);
            return discovery.PassIsComplete ? BetweenPasses : BetweenSteps;
        }
        catch (Exception failure) when (RedisAbsence.Explains(failure))
        {
            return AfterFailure;
        }
    }

    private void Note(FoundQueue found)
    {
        if (found.Shape == QueueShape.List)
            known.Saw(found.Name);
        else if (_warned.Add(found.Name))
            LogNoQueue(JsonEncodedText.Encode(found.Name), found.Shape);
    }

    [LoggerMessage(LogLevel.Warning, "The key queue:{Name} is no queue ({Shape}); it is left alone")]
    private partial void LogNoQueue(JsonEncodedText name, QueueShape shape);
}
