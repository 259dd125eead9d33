using Npgsql;
using OpenHands.Storage.Audit;

namespace OpenHands.Worker.Maintenance;

/// <summary>Seals the audit log about every second, and once an hour deletes what organizations no longer keep.</summary>
internal sealed partial class SealAudit(string connectionString, AuditSealer sealer, TimeProvider time, ILogger<SealAudit> logger)
    : ElectedChore(connectionString, LockKey, Pause, time, logger)
{
    /// <summary>Key of the advisory lock; any constant that nothing else uses.</summary>
    internal const long LockKey = 0x61756469746c6f67; // "auditlog"

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PrunePause = TimeSpan.FromHours(1);

    private readonly TimeProvider _time = time;
    private readonly ILogger _logger = logger;
    private long? _prunedAt;

    /// <inheritdoc />
    protected override async Task WorkAsync(NpgsqlConnection system, CancellationToken cancellationToken)
    {
        var (newest, _) = await sealer.SealAsync(system, cancellationToken);
        if (_prunedAt is { } at && _time.GetElapsedTime(at) < PrunePause)
            return;

        // Not before what is there is sealed: only sealed events are deleted.
        _prunedAt = _time.GetTimestamp();
        var deleted = await sealer.PruneAsync(system, cancellationToken);
        if (deleted > 0)
            LogPruned(_logger, deleted);
        if (newest is not null)
            LogHead(_logger, newest.Number, Convert.ToHexStringLower(newest.Hash));
    }

    [LoggerMessage(LogLevel.Information, "Deleted {Count} audit events that their organizations no longer keep")]
    private static partial void LogPruned(ILogger logger, int count);

    // Kept outside the database by whoever keeps logs: it shows later whether the end of the chain was cut off.
    [LoggerMessage(LogLevel.Information, "The audit log is sealed up to {Number}:{Hash}")]
    private static partial void LogHead(ILogger logger, long number, string hash);
}
