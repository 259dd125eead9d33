using System.Diagnostics;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Worker.Queues;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>Records that a task began, works for a while, and records its effect with the fencing token: refused when a later lease has begun.</summary>
internal sealed class EffectHandler(QueueDatabase database, TimeProvider time) : ITaskHandler
{
    /// <summary>The type of its tasks.</summary>
    public const string Type = "effect";

    /// <summary>What it writes into.</summary>
    public const string Tables =
        """
        CREATE TABLE chaos_starts (task_id text, lease_number bigint, process_id int, at timestamptz DEFAULT clock_timestamp(), PRIMARY KEY (task_id, lease_number));
        CREATE TABLE chaos_effects (key text, lease_number bigint, at timestamptz DEFAULT clock_timestamp());
        CREATE INDEX ON chaos_effects (key);
        GRANT ALL ON chaos_starts, chaos_effects TO openhands_system;
        """;

    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        await using (var start = database.System.CreateCommand("INSERT INTO chaos_starts (task_id, lease_number, process_id) VALUES ($1, $2, $3)"))
        {
            start.Parameters.Add(new NpgsqlParameter<string> { TypedValue = task.Id });
            start.Parameters.Add(new NpgsqlParameter<long> { TypedValue = task.LeaseNumber });
            start.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Environment.ProcessId });
            await start.ExecuteNonQueryAsync(cancellationToken);
        }

        if (task.Payload.TryGetProperty("poison", out _))
            Process.GetCurrentProcess().Kill();
        await Task.Delay(TimeSpan.FromMilliseconds(task.Payload.GetProperty("ms").GetInt32()), time, cancellationToken);
        await RecordAsync(task, cancellationToken);
        return new TaskOutcome.Done();
    }

    // The fence is a row that every later lease has written; the lock on it lines up those who write at the same time.
    private async Task RecordAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        await using var effect = database.System.CreateCommand(
            """
            WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended($1, 1)))
            INSERT INTO chaos_effects (key, lease_number)
            SELECT $1, $2 FROM alone
            WHERE NOT EXISTS (SELECT FROM chaos_effects WHERE key = $1)
                AND NOT EXISTS (SELECT FROM chaos_starts WHERE task_id = $3 AND lease_number > $2)
            """);
        effect.Parameters.Add(new NpgsqlParameter<string> { TypedValue = task.Payload.GetProperty("key").GetString()! }); // our own producer sets it
        effect.Parameters.Add(new NpgsqlParameter<long> { TypedValue = task.LeaseNumber });
        effect.Parameters.Add(new NpgsqlParameter<string> { TypedValue = task.Id });
        await effect.ExecuteNonQueryAsync(cancellationToken);
    }
}
