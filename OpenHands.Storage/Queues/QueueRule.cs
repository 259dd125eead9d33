using Npgsql;

namespace OpenHands.Storage.Queues;

/// <summary>What operators decided about a queue; a queue without a rule runs without limits.</summary>
/// <param name="Queue">Name of the queue.</param>
/// <param name="IsPaused">True when nothing of it is to start.</param>
/// <param name="MaxRunning">Most tasks of it at a time over all workers; null for no limit.</param>
/// <param name="MaxRunningPerTenant">Most tasks at a time with the same fairness key; null for no limit.</param>
public sealed record QueueRule(string Queue, bool IsPaused, int? MaxRunning, int? MaxRunningPerTenant);

/// <summary>Keeps the rules of queues and the weights of those who share them.</summary>
public sealed class QueueRules(QueueDatabase database)
{
    /// <summary>All rules by queue.</summary>
    public async Task<IReadOnlyDictionary<string, QueueRule>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand("SELECT queue, is_paused, max_running, max_running_per_tenant FROM queue_rules");
        var rules = new Dictionary<string, QueueRule>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            rules.Add(row.GetString(0), new QueueRule(
                row.GetString(0), row.GetBoolean(1), row.IsDBNull(2) ? null : row.GetInt32(2), row.IsDBNull(3) ? null : row.GetInt32(3)));
        }

        return rules;
    }

    /// <summary>Sets a rule in place of the former one.</summary>
    public async Task SetAsync(QueueRule rule, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rule);
        await using var set = database.System.CreateCommand(
            """
            INSERT INTO queue_rules (queue, is_paused, max_running, max_running_per_tenant) VALUES ($1, $2, $3, $4)
            ON CONFLICT (queue) DO UPDATE SET is_paused = $2, max_running = $3, max_running_per_tenant = $4
            """);
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = rule.Queue });
        set.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = rule.IsPaused });
        set.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = rule.MaxRunning });
        set.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = rule.MaxRunningPerTenant });
        await set.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The weights of a queue by fairness key; who is not named has weight 1.</summary>
    public async Task<IReadOnlyDictionary<string, int>> WeightsAsync(string queue, CancellationToken cancellationToken)
    {
        await using var read = database.System.CreateCommand("SELECT fairness_key, weight FROM queue_weights WHERE queue = $1");
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        var weights = new Dictionary<string, int>();
        await using var row = await read.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            weights.Add(row.GetString(0), row.GetInt32(1));
        return weights;
    }

    /// <summary>Gives somebody a share of a queue in proportion to the weight, 1 to 1000.</summary>
    public async Task SetWeightAsync(string queue, string fairnessKey, int weight, CancellationToken cancellationToken)
    {
        await using var set = database.System.CreateCommand(
            "INSERT INTO queue_weights (queue, fairness_key, weight) VALUES ($1, $2, $3) ON CONFLICT (queue, fairness_key) DO UPDATE SET weight = $3");
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = queue });
        set.Parameters.Add(new NpgsqlParameter<string> { TypedValue = fairnessKey });
        set.Parameters.Add(new NpgsqlParameter<int> { TypedValue = weight });
        await set.ExecuteNonQueryAsync(cancellationToken);
    }
}
