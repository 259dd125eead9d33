using Npgsql;
using OpenHands.Storage.Queues;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>
/// Keeps which rotations were asked for and how far they are, as the role <c>openhands_system</c>. Each has a task of
/// the same id among the platform's own.
/// </summary>
public sealed class KeyRotationRuns(NpgsqlDataSource system, TimeProvider time)
{
    /// <summary>The type of their tasks.</summary>
    public const string TaskType = "keys.rotate";

    // Under the id of the rotation. Kept for long: a rotation that somebody cancelled is not to begin again by itself.
    private const string EnqueueOpen =
        $"""
        INSERT INTO tasks (id, queue, type, payload, fairness_key, priority, status, run_at, retention, created_at)
        SELECT id, '{MaintenanceQueue.Name}', '{TaskType}', 'null', '', 0, 'waiting', clock_timestamp(), interval '30 days', clock_timestamp()
        FROM key_rotation_runs WHERE finished_at IS NULL
        ON CONFLICT (id)
        """;

    private const string Columns = "id, target_key_id, rows_per_second, requested_at, started_at, finished_at, rotated, total, refused, removable";

    /// <summary>Asks for a rotation to a key; one that runs already is taken for it, and goes on if its task was cancelled or given up.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> RequestAsync(string targetKeyId, int rowsPerSecond, CancellationToken cancellationToken)
    {
        // One transaction.
        await using var batch = system.CreateBatch();
        var request = batch.CreateBatchCommand();
        request.CommandText =
            """
            INSERT INTO key_rotation_runs (id, target_key_id, rows_per_second, requested_at, rotated, total, refused, removable)
            VALUES ($1, $2, $3, $4, 0, 0, '{}', '{}') ON CONFLICT (target_key_id) WHERE finished_at IS NULL DO NOTHING
            """;
        foreach (var value in new object[] { EntityId.New(time), targetKeyId, rowsPerSecond, time.GetUtcNow() })
            request.Parameters.Add(new NpgsqlParameter { Value = value });
        batch.BatchCommands.Add(request);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"""
            {EnqueueOpen} DO UPDATE SET status = 'waiting', run_at = clock_timestamp(), attempt = 0, lost = 0, cancel_requested = false,
                reason = NULL, finished_at = NULL, expires_at = NULL
            WHERE tasks.status NOT IN ('waiting', 'scheduled', 'leased')
            """));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return (await OpenAsync(targetKeyId, cancellationToken))?.Id ?? throw new InvalidOperationException("The rotation ended while it was asked for. Ask again.");
    }

    /// <summary>Gives every open rotation a task that has none.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ResumeAsync(CancellationToken cancellationToken)
    {
        await using var resume = system.CreateCommand(EnqueueOpen + " DO NOTHING");
        return await resume.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The rotation to a key that is not done; null for none.</summary>
    public Task<KeyRotationRun?> OpenAsync(string targetKeyId, CancellationToken cancellationToken) =>
        SingleAsync("target_key_id = $1 AND finished_at IS NULL", targetKeyId, cancellationToken);

    /// <summary>A rotation; null when there is none of this id.</summary>
    public Task<KeyRotationRun?> FindAsync(string id, CancellationToken cancellationToken) => SingleAsync("id = $1", id, cancellationToken);

    /// <summary>Notes that a worker is at it; the total is that of the first.</summary>
    public Task StartAsync(string id, long total, CancellationToken cancellationToken) => ExecuteAsync(
        "UPDATE key_rotation_runs SET total = CASE WHEN started_at IS NULL THEN $2 ELSE total END, started_at = coalesce(started_at, $3) WHERE id = $1",
        [id, total, time.GetUtcNow()], cancellationToken);

    /// <summary>Notes how far it is.</summary>
    public Task ReportAsync(string id, long rotated, CancellationToken cancellationToken) =>
        ExecuteAsync("UPDATE key_rotation_runs SET rotated = $2 WHERE id = $1", [id, rotated], cancellationToken);

    /// <summary>Notes its end.</summary>
    public Task FinishAsync(string id, KeyRotationResult result, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(result);
        return ExecuteAsync(
            "UPDATE key_rotation_runs SET rotated = $2, refused = $3, removable = $4, finished_at = $5 WHERE id = $1",
            [id, result.Rotated, result.Refused.ToArray(), result.Removable.ToArray(), time.GetUtcNow()], cancellationToken);
    }

    private async Task<KeyRotationRun?> SingleAsync(string condition, string parameter, CancellationToken cancellationToken)
    {
        await using var select = system.CreateCommand($"SELECT {Columns} FROM key_rotation_runs WHERE {condition}");
        select.Parameters.Add(new NpgsqlParameter<string> { TypedValue = parameter });
        await using var row = await select.ExecuteReaderAsync(cancellationToken);
        return !await row.ReadAsync(cancellationToken) ? null : new KeyRotationRun
        {
            Id = row.GetString(0),
            TargetKeyId = row.GetString(1),
            RowsPerSecond = row.GetInt32(2),
            RequestedAt = row.GetFieldValue<DateTimeOffset>(3),
            StartedAt = row.IsDBNull(4) ? null : row.GetFieldValue<DateTimeOffset>(4),
            FinishedAt = row.IsDBNull(5) ? null : row.GetFieldValue<DateTimeOffset>(5),
            Rotated = row.GetInt64(6),
            Total = row.GetInt64(7),
            Refused = row.GetFieldValue<string[]>(8),
            Removable = row.GetFieldValue<string[]>(9),
        };
    }

    private async Task ExecuteAsync(string statement, object[] values, CancellationToken cancellationToken)
    {
        await using var command = system.CreateCommand(statement);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
