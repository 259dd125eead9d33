using Npgsql;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Maintenance;

/// <summary>Writes down how far a rotation is, for its task and for who waits for it, once a second at most.</summary>
/// <param name="runs">Where whoever waits looks.</param>
/// <param name="progress">The task's.</param>
/// <param name="run">Id of the rotation.</param>
/// <param name="before">Rows done before.</param>
/// <param name="total">Rows in all.</param>
/// <param name="stop">Stops the rotation when the lease has ended.</param>
/// <param name="time">Measures the second.</param>
internal sealed class RotationReports(
    KeyRotationRuns runs, TaskProgress progress, string run, long before, long total, CancellationTokenSource stop, TimeProvider time) : IProgress<KeyRotationProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long? _at;

    /// <summary>The report under way.</summary>
    public Task LastReport { get; private set; } = Task.CompletedTask;

    /// <inheritdoc />
    public void Report(KeyRotationProgress value)
    {
        if (!LastReport.IsCompleted || (_at is { } at && time.GetElapsedTime(at) < Interval))
            return;
        _at = time.GetTimestamp();
        LastReport = WriteAsync(before + value.Rotated, total);
    }

    /// <summary>Writes down that it begins, or goes on.</summary>
    public Task BeginAsync() => WriteAsync(before, total);

    /// <summary>Writes down that nothing is left: what others re-encrypted meanwhile is no longer to be done.</summary>
    /// <param name="done">Rows in all.</param>
    public Task EndAsync(long done) => WriteAsync(done, done);

    private async Task WriteAsync(long done, long of)
    {
        try
        {
            await runs.ReportAsync(run, done, CancellationToken.None);
            await progress.ReportAsync(done, Math.Max(of, done), null, CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // The rotation itself meets the same trouble, and is what matters.
        }
        catch (OperationCanceledException)
        {
            await stop.CancelAsync(); // somebody else has the task by now
        }
    }
}
