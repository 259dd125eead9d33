using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;

namespace OpenHands.Cli.Diagnosis;

/// <summary>What is looked at in PostgreSQL.</summary>
internal sealed class DatabaseChecks(Work work)
{
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(2);

    /// <summary>The oldest major version that is supported.</summary>
    public int OldestServer { get; init; } = 14;

    /// <summary>Which part of the connections may be in use.</summary>
    public double MostConnections { get; init; } = 0.8;

    /// <summary>What the names of the platform's roles begin with.</summary>
    public string Roles { get; init; } = "openhands";

    /// <summary>How long a transaction may be open.</summary>
    public TimeSpan LongTransaction { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Looks at everything.</summary>
    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection connection;
        try
        {
            connection = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        }
        catch (NpgsqlException failure)
        {
            return [new Check("postgres", CheckState.Failed, $"PostgreSQL cannot be reached: {failure.GetBaseException().Message}")];
        }

        await using (connection)
        {
            return
            [
                Check.Of("postgres", connection.PostgreSqlVersion.Major >= OldestServer, $"PostgreSQL {connection.PostgreSqlVersion}", $"PostgreSQL {connection.PostgreSqlVersion} is older than {OldestServer}: upgrade it."),
                await ClockAsync(connection, cancellationToken), await SchemaAsync(connection, cancellationToken), await KeyRingAsync(connection, cancellationToken),
                await RotationAsync(cancellationToken), await ConnectionsAsync(connection, cancellationToken), await RowLevelSecurityAsync(connection, cancellationToken),
                await RolesAsync(connection, cancellationToken), await AuditAsync(connection, cancellationToken), await DeadLettersAsync(connection, cancellationToken),
                await HeldTransactionsAsync(connection, cancellationToken), .. await new QueueChecks(connection).RunAsync(cancellationToken),
            ];
        }
    }

    private async Task<Check> ClockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var before = work.Time.GetUtcNow();
        var theirs = await ValueAsync<DateTime>(connection, "SELECT clock_timestamp()", cancellationToken);
        var after = work.Time.GetUtcNow();
        var skew = theirs < before.UtcDateTime ? before.UtcDateTime - theirs : theirs > after.UtcDateTime ? theirs - after.UtcDateTime : TimeSpan.Zero;
        return Check.Of("clock", skew < ClockTolerance, "This machine and PostgreSQL agree.", Text($"This machine and PostgreSQL differ by {skew.TotalSeconds:F1} s: run a time service on both."), CheckState.Warning);
    }

    private static async Task<Check> SchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(connection).UseOpenHandsDb();
        await using var db = new OpenHandsDb(options.Options);
        var missing = await SchemaVersion.MissingAsync(db, cancellationToken);
        var next = missing.Count > 0 ? missing[0] : null;
        return Check.Of("schema", next is null, "The schema has every migration of this build.", Text($"{missing.Count} migrations are missing, the next is {next}: run the migration step (OpenHands.Worker migrate)."));
    }

    private async Task<Check> KeyRingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var used = await ListAsync(connection, "SELECT id FROM encryption_keys ORDER BY 1", cancellationToken);
        string[] missing = [.. used.Except(work.Installation.Keys.KeyIds)];
        return Check.Of(
            "key ring", missing.Length == 0, Text($"The ring holds every key in use ({used.Count})."),
            $"The ring lacks {string.Join(", ", missing)}, which stored secrets are encrypted under: add the missing keys to Secrets:PreviousKeys.");
    }

    private async Task<Check> RotationAsync(CancellationToken cancellationToken)
    {
        await using var system = NpgsqlDataSource.Create(work.Installation.System);
        var left = await new KeyRotation(work.Installation.Keys, new KeyRotationOptions(), work.Time, new TenantKeys(work.Configuration, work.Time)).RemainingAsync(system, cancellationToken);
        return Check.Of("rotation", left == 0, "Everything is under the current key.", Text($"{left} rows are under another key than the current one: 'rotate' brings them under it."), CheckState.Warning);
    }

    private async Task<Check> ConnectionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var used = await ValueAsync<long>(connection, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", cancellationToken);
        var limit = long.Parse((string)(await ValueAsync<object>(connection, "SHOW max_connections", cancellationToken))!, CultureInfo.InvariantCulture);
        return Check.Of(
            "connections", used < limit * MostConnections, Text($"{used} of {limit} connections are in use."),
            Text($"{used} of {limit} connections are in use: run fewer replicas, bound their pools (Maximum Pool Size), put a pooler in front, or raise max_connections."), CheckState.Warning);
    }

    private static async Task<Check> RowLevelSecurityAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var open = await ListAsync(
            connection,
            """
            SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
              AND (relname IN ('users', 'organizations', 'dead_letters')
                   OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname IN ('user_id', 'organization_id') AND NOT attisdropped))
              AND NOT (relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)) ORDER BY 1
            """, cancellationToken);
        return Check.Of(
            "row-level security", open.Count == 0, "It is forced on every table of tenants.",
            $"It is not forced on {string.Join(", ", open)}: somebody changed the schema. Stop the API and restore it.");
    }

    private async Task<Check> RolesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var strong = await ListAsync(
            connection, $"SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{Roles}') AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb) ORDER BY 1", cancellationToken);
        return Check.Of("roles", strong.Count == 0, "No role of the platform has more than it needs.", $"{string.Join(", ", strong)} may do too much: the migration step takes it away.");
    }

    private static async Task<Check> AuditAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var waiting = await ValueAsync<long>(connection, $"SELECT count(*) FROM ({AuditRows.All}) AS e WHERE position IS NULL AND occurred_at < clock_timestamp() - interval '1 minute'", cancellationToken);
        return Check.Of(
            "audit", waiting == 0, "The audit log is sealed.",
            Text($"{waiting} events have waited for their seal for more than a minute: no worker runs, or a transaction has been open for long."), CheckState.Warning);
    }

    private static async Task<Check> DeadLettersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var letters = await ValueAsync<long>(connection, "SELECT count(*) FROM dead_letters", cancellationToken);
        return Check.Of("dead letters", letters == 0, "None.", Text($"{letters} values were set aside: table dead_letters says why."), CheckState.Warning);
    }

    private async Task<Check> HeldTransactionsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var held = await ListAsync(
            connection,
            Text($"SELECT pid || ' (' || coalesce(application_name, '') || ')' FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start < clock_timestamp() - interval '{LongTransaction.TotalSeconds} seconds'"),
            cancellationToken);
        return Check.Of("transactions", held.Count == 0, "None has been open for long.", $"Open for more than {LongTransaction.TotalMinutes:F0} minutes, holding back the sealing and the clean-up: {string.Join(", ", held)}.", CheckState.Warning);
    }

    private static async Task<T> ValueAsync<T>(NpgsqlConnection connection, string query, CancellationToken cancellationToken) => (T)(await Backups.Backup.ValueAsync(connection, query, cancellationToken))!;

    private static async Task<List<string>> ListAsync(NpgsqlConnection connection, string query, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(query, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var list = new List<string>();
        while (await rows.ReadAsync(cancellationToken))
            list.Add(rows.GetString(0));
        return list;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
