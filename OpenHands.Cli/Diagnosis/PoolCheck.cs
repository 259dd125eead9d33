using System.Globalization;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Queues;

namespace OpenHands.Cli.Diagnosis;

/// <summary>
/// Whether all pools of all processes together fit into what PostgreSQL allows: a process that finds no connection left refuses
/// its callers just when most of them come.
/// </summary>
internal sealed class PoolCheck(Work work)
{
    /// <summary>Adds up and compares.</summary>
    /// <param name="apis">Processes of the API that say in Redis that they are there; null when Redis cannot be asked.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<IReadOnlyList<Check>> RunAsync(int? apis, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
            return [await LookAsync(connection, apis, cancellationToken)];
        }
        catch (NpgsqlException)
        {
            return []; // DatabaseChecks says so
        }
    }

    private async Task<Check> LookAsync(NpgsqlConnection connection, int? apis, CancellationToken cancellationToken)
    {
        var workers = await NumberAsync(connection, "SELECT count(*) FROM workers WHERE last_seen_at > clock_timestamp() - interval '1 minute'", cancellationToken);
        var limit = await NumberAsync(
            connection, "SELECT current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint", cancellationToken);
        var (app, system) = (Pool(work.Installation.App), Pool(work.Installation.System));
        var needed = Math.Max(apis ?? 0, 1) * app + workers * (app + system + WorkerRegistry.SessionsBesidePools);
        var counted = apis switch
        {
            null => "at least 1 (to count them, ConnectionStrings__redis is needed)",
            0 => "at least 1 (without rate limits they do not count themselves)",
            _ => Text($"{apis}"),
        };
        var sum = Text($"Processes of the API: {counted}, {app} connections each; workers: {workers}, {app} + {system} + {WorkerRegistry.SessionsBesidePools} each. Together up to {needed} of {limit}");
        return Check.Of(
            "pools", needed <= limit, $"{sum}.",
            $"{sum}: some will be refused under load. Bound the pools (Maximum Pool Size in the connection strings), put a pooler in front, or raise max_connections.", CheckState.Warning);
    }

    // Through a pooler it holds none of PostgreSQL's own.
    private int Pool(string connectionString)
    {
        var (pool, direct) = (new NpgsqlConnectionStringBuilder(DatabaseConnection.WithBounds(connectionString)), new NpgsqlConnectionStringBuilder(work.Installation.Administrator));
        return (pool.Host, pool.Port) == (direct.Host, direct.Port) ? pool.MaxPoolSize : 0;
    }

    private static async Task<long> NumberAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken) =>
        (long)(await Backups.Backup.ValueAsync(connection, query, cancellationToken))!; // a number is never null

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
