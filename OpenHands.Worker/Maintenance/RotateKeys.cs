using Npgsql;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;

namespace OpenHands.Worker.Maintenance;

/// <summary>
/// Does the rotation that an operator asked for, if it is to this worker's current key. Its progress stands in its row and in the
/// rows that it re-encrypts, so when this worker is killed the next that is elected goes on.
/// </summary>
internal sealed partial class RotateKeys(
    string connectionString, KeyRing keys, TenantKeys tenants, TimeProvider time, ILogger<RotateKeys> logger)
    : ElectedChore(connectionString, LockKey, Pause, time, logger)
{
    /// <summary>Key of the advisory lock; any constant that nothing else uses.</summary>
    internal const long LockKey = 0x726f74617465; // "rotate"

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly string _connectionString = connectionString;
    private readonly TimeProvider _time = time;
    private readonly ILogger _logger = logger;

    /// <inheritdoc />
    protected override async Task WorkAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_connectionString) { MaxPoolSize = 4 }.ConnectionString);
        var runs = new KeyRotationRuns(source, _time);
        if (await runs.OpenAsync(keys.KeyIds[0], cancellationToken) is not { } run)
            return;

        var rotation = new KeyRotation(keys, new KeyRotationOptions { RowsPerSecond = run.RowsPerSecond }, _time, tenants);
        var left = await rotation.RemainingAsync(source, cancellationToken);
        await runs.StartAsync(run.Id, left, cancellationToken);
        LogStarted(_logger, run.Id, left);
        // What a worker before this one did counts, too.
        var before = Math.Max(0, (run.StartedAt is null ? left : run.Total) - left);
        var progress = new Progress(runs, run.Id, before, _time);
        var result = await rotation.RunAsync(source, progress, cancellationToken);
        await progress.LastReport;
        await runs.FinishAsync(run.Id, result with { Rotated = before + result.Rotated }, cancellationToken);
        LogDone(_logger, run.Id, result.Rotated, result.Refused.Count);
    }

    [LoggerMessage(LogLevel.Information, "Rotation {Run}: {Left} rows are to come under the current key")]
    private static partial void LogStarted(ILogger logger, string run, long left);

    [LoggerMessage(LogLevel.Information, "Rotation {Run} is done: {Rotated} rows re-encrypted, {Refused} could not be read")]
    private static partial void LogDone(ILogger logger, string run, long rotated, int refused);

    /// <summary>Writes the progress down, once a second at most.</summary>
    private sealed class Progress(KeyRotationRuns runs, string id, long before, TimeProvider time) : IProgress<KeyRotationProgress>
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

        private long? _at;

        /// <summary>The report under way.</summary>
        public Task LastReport { get; private set; } = Task.CompletedTask;

        public void Report(KeyRotationProgress value)
        {
            if (!LastReport.IsCompleted || (_at is { } at && time.GetElapsedTime(at) < Interval))
                return;
            _at = time.GetTimestamp();
            LastReport = WriteAsync(before + value.Rotated);
        }

        private async Task WriteAsync(long rotated)
        {
            try
            {
                await runs.ReportAsync(id, rotated, CancellationToken.None);
            }
            catch (NpgsqlException)
            {
                // The rotation itself meets the same trouble, and is what matters.
            }
        }
    }
}
