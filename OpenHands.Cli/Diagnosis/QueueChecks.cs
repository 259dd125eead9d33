using System.Globalization;
using Npgsql;

namespace OpenHands.Cli.Diagnosis;

/// <summary>Whether somebody works on the tasks, and how long those wait that are due.</summary>
internal sealed class QueueChecks(NpgsqlConnection administrator)
{
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(5);

    /// <summary>Looks at everything.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken) =>
        [await WorkersAsync(cancellationToken), await AgesAsync(cancellationToken)];

    private async Task<Check> WorkersAsync(CancellationToken cancellationToken)
    {
        await using var count = new NpgsqlCommand("SELECT count(*) FROM workers WHERE last_seen_at > clock_timestamp() - interval '1 minute'", administrator);
        var workers = (long)(await count.ExecuteScalarAsync(cancellationToken))!; // count(*) is never null
        return Check.Of(
            "workers", workers > 0, string.Create(CultureInfo.InvariantCulture, $"{workers} at work."),
            "No worker has been heard of for a minute: tasks wait, nothing is sealed or swept. Start one (OpenHands.Worker run).", CheckState.Warning);
    }

    private async Task<Check> AgesAsync(CancellationToken cancellationToken)
    {
        await using var select = new NpgsqlCommand(
            """
            SELECT t.queue, extract(epoch FROM clock_timestamp() - min(t.run_at))::float8, coalesce(bool_or(r.is_paused), false)
            FROM tasks t LEFT JOIN queue_rules r ON r.queue = t.queue
            WHERE t.status IN ('waiting', 'scheduled') AND t.run_at < clock_timestamp() GROUP BY t.queue ORDER BY 2 DESC
            """, administrator);
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        var ages = new List<string>();
        var isGood = true;
        while (await rows.ReadAsync(cancellationToken))
        {
            var (age, isPaused) = (TimeSpan.FromSeconds(rows.GetDouble(1)), rows.GetBoolean(2));
            isGood &= age < LongWait;
            ages.Add($"{rows.GetString(0)} {Words(age)}{(isPaused ? " (paused)" : "")}");
        }

        var text = ages.Count == 0 ? "Nothing that is due waits." : $"The oldest task that is due has waited: {string.Join(", ", ages)}";
        return Check.Of(
            "queue age", isGood, ages.Count == 0 ? text : $"{text}.",
            $"{text}. Start more workers or raise Worker:Concurrency; 'OpenHands.Worker queues' shows what they do, and resumes a queue that is paused.", CheckState.Warning);
    }

    private static string Words(TimeSpan age)
    {
        var (number, unit) = age < TimeSpan.FromMinutes(2) ? (age.TotalSeconds, "s") : age < TimeSpan.FromHours(2) ? (age.TotalMinutes, "min") : (age.TotalHours, "h");
        return string.Create(CultureInfo.InvariantCulture, $"{number:F0} {unit}");
    }
}
