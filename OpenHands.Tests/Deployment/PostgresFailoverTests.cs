using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Deployment;

/// <summary>The scripts of the production overlay with real servers: replication, a failover by its documented steps, and what they refuse.</summary>
public sealed class PostgresFailoverTests
{
    private const string Replicas = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'member%'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_primary_is_replaced_without_losing_an_acknowledged_write_or_restarting_the_application()
    {
        await using var members = await PostgresMembers.CreateAsync();
        members.Appoint(0);
        members.Start(0, 1, 2);
        await members.AnswersAsync(0, Replicas, "2");
        await MigrateAsync(members);

        var acknowledged = new ConcurrentBag<int>();
        var stopped = new CancellationTokenSource();
        var writing = WriteAsync(As(members, "openhands_app"), acknowledged, stopped.Token);
        await Eventually.TrueAsync("some writes are acknowledged", () => acknowledged.Count > 50);

        await members.KillAsync(0);
        var refused = await members.RunAsync(1, "promote.sh");
        var before = acknowledged.Count;
        members.Appoint(1);
        var promoted = await PromoteAsync(members, 1, 2);
        await Eventually.TrueAsync("the same application writes again", () => acknowledged.Count > before + 50);
        await stopped.CancelAsync();
        await writing;

        Assert.Contains("appointed is member 0", refused.Tail, StringComparison.Ordinal);
        Assert.Equal("f", await AskAsync(members, promoted, "SELECT pg_is_in_recovery()::text::\"char\""));
        var kept = await KeptAsync(members.Of(promoted));
        Assert.Empty(acknowledged.Except(kept));

        // The old primary comes back as a clone, and the other standby follows without having been touched.
        members.Start(0);
        await members.AnswersAsync(promoted, Replicas, "2");
        Assert.Contains($"cloning member {promoted}", members.Log, StringComparison.Ordinal);
        Assert.Superset(acknowledged.ToHashSet(), (await KeptAsync(members.Of(0))).ToHashSet());
    }

    [Fact]
    public async Task What_would_lose_data_is_refused()
    {
        await using var members = await PostgresMembers.CreateAsync();
        members.Appoint(0);
        members.Start(0, 1, 2);
        await members.AnswersAsync(0, Replicas, "2");
        await PostgresMembers.QueryAsync(members.Of(0), "CREATE TABLE kept AS SELECT 1 AS number; SELECT 1");

        members.Appoint(1);
        var aside = await members.RunAsync(1, "promote.sh");
        var deposed = await members.RunAsync(0, "alive.sh");
        members.Appoint(7);
        var slip = await members.RunAsync(0, "alive.sh");
        members.Appoint(0);
        var alive = await members.RunAsync(0, "alive.sh");
        var noStandby = await members.RunAsync(0, "clone-again.sh");

        Assert.Contains("member 0 takes writes", aside.Tail, StringComparison.Ordinal);
        Assert.Equal((1, 0, 0), (deposed.ExitCode, slip.ExitCode, alive.ExitCode));
        Assert.Contains("only a standby is cloned", noStandby.Tail, StringComparison.Ordinal);

        // A primary whose disk is lost does not begin anew while others have the data.
        await members.KillAsync(0);
        members.LoseVolume(0);
        members.Start(0);
        Assert.Equal(1, await members.Servers.EndedAsync("0"));
        Assert.Contains("its volume is empty, and member", members.Log, StringComparison.Ordinal);

        // Without the second standby nobody knows whether it holds more.
        await members.KillAsync(2);
        members.Appoint(1);
        var alone = await members.RunAsync(1, "promote.sh");
        Assert.Contains("only 1 of 2 standbys answer", alone.Tail, StringComparison.Ordinal);
        var forced = await members.RunAsync(1, "promote.sh", "--force");
        Assert.True(forced.Succeeded, forced.Tail);
        Assert.Equal("1", await PostgresMembers.QueryAsync(members.Of(1), "SELECT number FROM kept"));

        // With no standby left, no commit counts as done: neither one statement's nor a transaction's.
        Assert.True(DatabaseAvailability.IsUnavailable(await CommitAsync(members.Of(1), inTransaction: false)));
        Assert.True(DatabaseAvailability.IsUnavailable(await CommitAsync(members.Of(1), inTransaction: true)));
    }

    [Fact]
    public async Task A_standby_is_cloned_anew_on_demand_and_a_dump_of_the_primary_is_restored()
    {
        await using var members = await PostgresMembers.CreateAsync("off");
        members.Appoint(0);
        members.Start(0, 1);
        await members.AnswersAsync(0, Replicas, "1");
        await PostgresMembers.QueryAsync(members.Of(0), "CREATE DATABASE openhands");
        var source = new NpgsqlConnectionStringBuilder(members.Of(0)) { Database = "openhands" };
        await PostgresMembers.QueryAsync(source.ConnectionString, "CREATE TABLE kept AS SELECT generate_series(1, 5000) AS number; SELECT 1");

        var marked = await members.RunAsync(1, "clone-again.sh");
        await members.Servers.EndedAsync("1");
        members.Start(1);
        await members.AnswersAsync(0, Replicas, "1");
        Assert.True(marked.Succeeded, marked.Tail);
        Assert.Equal(2, members.Log.Split("1: member 1: cloning member 0").Length - 1);

        var environment = new Dictionary<string, string?>
        {
            ["PGBIN"] = members.Servers.Programs,
            ["PGHOST"] = "127.0.0.1,127.0.0.1",
            ["PGPORT"] = $"{source.Port},{new NpgsqlConnectionStringBuilder(members.Of(1)).Port}",
            ["PGUSER"] = "postgres",
            ["PGPASSWORD"] = source.Password,
            ["PGDATABASE"] = "openhands",
            ["BACKUP_DIRECTORY"] = members.Servers.Folder("backups"),
        };
        var backup = await members.Servers.RunAsync("backup.sh", environment);
        Assert.True(backup.Succeeded, backup.Tail);
        var dump = Assert.Single(Directory.GetFiles(members.Servers.Folder("backups")));

        await PostgresMembers.QueryAsync(members.Of(0), "CREATE DATABASE restored");
        environment["PGPORT"] = $"{source.Port},{source.Port}";
        var restore = await members.Servers.RunProgramAsync("pg_restore", environment, "--dbname=restored", "--exit-on-error", dump);
        Assert.True(restore.Succeeded, restore.Tail);
        Assert.Equal("5000", await PostgresMembers.QueryAsync(new NpgsqlConnectionStringBuilder(source.ConnectionString) { Database = "restored" }.ConnectionString, "SELECT count(*) FROM kept"));
    }

    // Whichever standby holds more: the script says so, and the person follows.
    private static async Task<int> PromoteAsync(PostgresMembers members, int first, int second)
    {
        var tried = await members.RunAsync(first, "promote.sh");
        if (tried.Succeeded)
            return first;
        Assert.Contains($"member {second} holds", tried.Tail, StringComparison.Ordinal);
        members.Appoint(second);
        var other = await members.RunAsync(second, "promote.sh");
        Assert.True(other.Succeeded, other.Tail);
        return second;
    }

    // The migration step and the services' own context, with connection strings that name all members.
    private static Task<IReadOnlyList<string>> MigrateAsync(PostgresMembers members) => new DatabaseMigrator(
        MigrationConnections.From(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:openhands-admin"] = members.Everybody,
            ["ConnectionStrings:openhands"] = As(members, "openhands_app"),
            ["ConnectionStrings:openhands-system"] = As(members, "openhands_system"),
        }).Build()),
        TimeProvider.System, NullLogger<DatabaseMigrator>.Instance).MigrateAsync(Token);

    private static string As(PostgresMembers members, string role) =>
        new NpgsqlConnectionStringBuilder(members.Everybody) { Username = role, Password = "password-of-the-tests" }.ConnectionString;

    private static async Task WriteAsync(string connectionString, ConcurrentBag<int> acknowledged, CancellationToken stopped)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(connectionString).UseOpenHandsDb();
        for (var number = 1; !stopped.IsCancellationRequested; number++)
        {
            await using var db = new OpenHandsDb(options.Options);
            try
            {
                // Belongs to no tenant, so that nothing but the commit is looked at.
                await db.Database.ExecuteSqlAsync($"INSERT INTO encryption_keys (id, first_used_at) VALUES ({$"{number:x16}"}, now())", Token);
                acknowledged.Add(number);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                Assert.True(DatabaseAvailability.IsUnavailable(failure), $"{failure}");
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
            }
        }
    }

    private static async Task<IReadOnlyList<int>> KeptAsync(string member)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(member) { Database = "openhands" }.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand("SELECT id FROM encryption_keys", connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var numbers = new List<int>();
        while (await reader.ReadAsync(Token))
            numbers.Add(Convert.ToInt32(reader.GetString(0), 16));
        return numbers;
    }

    private static async Task<Exception?> CommitAsync(string member, bool inTransaction) => await Record.ExceptionAsync(async () =>
    {
        await using var connection = new NpgsqlConnection(DatabaseConnection.WithBounds(member));
        await connection.OpenAsync(Token);
        await using var transaction = inTransaction ? await connection.BeginTransactionAsync(Token) : null;
        await using (var insert = new NpgsqlCommand("INSERT INTO kept VALUES (2)", connection, transaction))
            await insert.ExecuteNonQueryAsync(Token);
        if (transaction is not null)
            await transaction.CommitAsync(Token);
    });

    private static Task<string> AskAsync(PostgresMembers members, int ordinal, string query) => PostgresMembers.QueryAsync(members.Of(ordinal), query);
}
