using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenHands.Storage.Postgres;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Postgres;

public sealed class DatabaseMigratorTests(DatabaseServer server)
{
    [Fact]
    public async Task Several_processes_at_once_apply_everything_once()
    {
        var database = await server.CreateEmptyAsync();
        var applied = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(database.MigrateAsync)));
        Assert.Single(applied, migrations => migrations.Count > 0);
        await AssertReadyAsync(database);
    }

    [Fact]
    public async Task A_second_run_has_nothing_to_do()
    {
        var database = await server.CreateEmptyAsync();
        Assert.NotEmpty(await database.MigrateAsync());
        Assert.Empty(await database.MigrateAsync());
        await AssertReadyAsync(database);
    }

    [Fact]
    public async Task Databases_of_one_server_are_migrated_side_by_side()
    {
        var databases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => server.CreateEmptyAsync()));
        await Task.WhenAll(databases.Select(database => Task.Run(database.MigrateAsync)));
        foreach (var database in databases)
            await AssertReadyAsync(database);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_made()
    {
        var database = new TestDatabase(await server.AdministratorAsync(), $"made_{Guid.CreateVersion7():n}");
        await Task.WhenAll(Task.Run(database.MigrateAsync), Task.Run(database.MigrateAsync));
        await AssertReadyAsync(database);
    }

    [Fact]
    public async Task The_roles_have_no_privilege_and_the_tables_belong_to_one_that_cannot_log_in()
    {
        var database = await server.CreateMigratedAsync();
        Assert.Equal(
            ["openhands_app|True|False", "openhands_owner|False|False", "openhands_system|True|False"],
            await database.QueryAsync(
                """
                SELECT rolname, rolcanlogin, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls
                FROM pg_roles WHERE rolname LIKE 'openhands%' ORDER BY rolname
                """));
        Assert.Equal(["openhands_owner"], await database.QueryAsync("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"));
        Assert.Empty(await database.QueryAsync(
            "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname IN ('openhands_app', 'openhands_system')"));
    }

    [Fact]
    public async Task The_app_works_on_tables_but_cannot_change_the_schema_or_the_history()
    {
        var database = await server.CreateMigratedAsync();
        await ExecuteAsync(database.App, "SELECT count(*) FROM users, user_settings, dead_letters, \"__EFMigrationsHistory\"");
        foreach (var forbidden in new[]
        {
            "CREATE TABLE mine ()", "DROP TABLE users", "TRUNCATE users", "SET ROLE openhands_owner",
            "DELETE FROM \"__EFMigrationsHistory\"", "ALTER ROLE openhands_app SUPERUSER", "SELECT * FROM pg_authid",
        })
        {
            await AssertForbiddenAsync(database.App, forbidden);
        }
    }

    [Fact]
    public async Task The_system_role_sees_its_own_tables_only()
    {
        var database = await server.CreateMigratedAsync();
        await ExecuteAsync(database.System, "SELECT count(*) FROM dead_letters, \"__EFMigrationsHistory\"");
        await AssertForbiddenAsync(database.System, "SELECT * FROM user_settings");
        await AssertForbiddenAsync(database.System, "SELECT * FROM users");
    }

    [Fact]
    public async Task Tables_of_a_later_migration_are_open_to_the_app_at_once_and_to_nobody_else()
    {
        var database = await server.CreateMigratedAsync();
        await ExecuteAsync(database.Administrator, "SET ROLE openhands_owner; CREATE TABLE later (id int)");
        await ExecuteAsync(database.App, "INSERT INTO later VALUES (1)");
        await AssertForbiddenAsync(database.System, "SELECT * FROM later");
    }

    [Fact]
    public async Task A_changed_password_is_set_and_no_password_is_shown_to_anyone()
    {
        // Its own roles: the other tests log in as the usual ones meanwhile.
        var database = await server.CreateEmptyAsync();
        var role = $"app_{Guid.CreateVersion7():n}";
        string App(string password) => new NpgsqlConnectionStringBuilder(database.App) { Username = role, Password = password, Pooling = false }.ConnectionString;
        var log = new MigrationLog();

        foreach (var password in new[] { "first'password", "second\"password" })
        {
            await new DatabaseMigrator(database.ConnectionsWith(App(password)), TimeProvider.System, log).MigrateAsync(TestContext.Current.CancellationToken);
            await ExecuteAsync(App(password), "SELECT count(*) FROM users");
        }

        var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(App("first'password"), "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
        Assert.NotEmpty(log.Lines);
        Assert.DoesNotContain(log.Lines, line => line.Contains("password", StringComparison.OrdinalIgnoreCase));
        Assert.StartsWith("SCRAM-SHA-256$", Assert.Single(await database.QueryAsync($"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'")));
    }

    [Fact]
    public async Task A_privilege_that_a_role_got_in_between_is_taken_away()
    {
        var database = await server.CreateEmptyAsync();
        var role = $"app_{Guid.CreateVersion7():n}";
        var app = new NpgsqlConnectionStringBuilder(database.App) { Username = role }.ConnectionString;
        await ExecuteAsync(database.Administrator, $"CREATE ROLE {role} SUPERUSER BYPASSRLS NOLOGIN");
        await new DatabaseMigrator(database.ConnectionsWith(app), TimeProvider.System, new MigrationLog()).MigrateAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["False|False|True"], await database.QueryAsync($"SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = '{role}'"));
    }

    [Fact]
    public async Task An_administrator_that_is_no_superuser_will_do()
    {
        var database = await server.CreateEmptyAsync();
        var role = $"admin_{Guid.CreateVersion7():n}";
        await ExecuteAsync(database.Administrator, $"CREATE ROLE {role} LOGIN CREATEROLE PASSWORD 'pw'; ALTER DATABASE {database.Name} OWNER TO {role}");
        var administrator = new NpgsqlConnectionStringBuilder(database.Administrator) { Username = role, Password = "pw" }.ConnectionString;
        var migrator = new DatabaseMigrator(database.Connections with { Administrator = administrator }, TimeProvider.System, new MigrationLog());
        Assert.NotEmpty(await migrator.MigrateAsync(TestContext.Current.CancellationToken));
        Assert.Empty(await migrator.MigrateAsync(TestContext.Current.CancellationToken));
        await AssertReadyAsync(database);
    }

    [Fact]
    public async Task It_waits_while_the_old_release_holds_a_table()
    {
        var database = await server.CreateEmptyAsync();
        await database.MigrateAsync();
        await using var busy = new NpgsqlConnection(database.Administrator);
        await busy.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await busy.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand("LOCK TABLE \"__EFMigrationsHistory\"", busy, transaction))
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var log = new MigrationLog();
        var migrating = new DatabaseMigrator(database.Connections, TimeProvider.System, log).MigrateAsync(TestContext.Current.CancellationToken);
        await log.Busy;
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Empty(await migrating);
    }

    [Fact]
    public async Task A_wrong_password_of_the_administrator_is_said_at_once()
    {
        var database = await server.CreateEmptyAsync();
        var administrator = new NpgsqlConnectionStringBuilder(database.Administrator) { Password = "wrong" }.ConnectionString;
        var migrator = new DatabaseMigrator(database.Connections with { Administrator = administrator }, TimeProvider.System, new MigrationLog());
        var refused = await Assert.ThrowsAsync<PostgresException>(() => migrator.MigrateAsync(TestContext.Current.CancellationToken));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    [Theory]
    [InlineData("openhands_app", "Username=openhands_app;Password=p", "Username=openhands_app;Password=p", "three different users")]
    [InlineData("postgres", "Username=postgres;Password=p", "Username=s;Password=p", "three different users")]
    [InlineData("postgres", "Username=openhands_owner;Password=p", "Username=s;Password=p", "three different users")]
    [InlineData("postgres", "Username=a", "Username=s;Password=p", "openhands must have a user name and a password")]
    [InlineData("postgres", "Username=a;Password=pä", "Username=s;Password=p", "printable ASCII")]
    [InlineData("postgres", "", "Username=s;Password=p", "ConnectionStrings__openhands")]
    public void Connections_that_cannot_work_are_refused_with_what_to_do(string administrator, string app, string system, string expected)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:openhands-admin"] = $"Username={administrator}",
            ["ConnectionStrings:openhands"] = app,
            ["ConnectionStrings:openhands-system"] = system,
        }).Build();
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => MigrationConnections.From(configuration)).Message);
    }

    [Fact]
    public async Task The_migrations_are_what_the_model_says()
    {
        var database = await server.CreateEmptyAsync();
        await using var db = database.Open();
        Assert.False(db.Database.HasPendingModelChanges());
    }

    private static async Task AssertReadyAsync(TestDatabase database)
    {
        await using var db = database.Open();
        Assert.Empty(await SchemaVersion.MissingAsync(db, TestContext.Current.CancellationToken));
    }

    private static async Task AssertForbiddenAsync(string connectionString, string statement)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connectionString, statement));
        Assert.True(refused.SqlState == PostgresErrorCodes.InsufficientPrivilege, $"{statement}: {refused.Message}");
    }

    private static async Task ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private sealed class MigrationLog : ILogger<DatabaseMigrator>
    {
        private readonly TaskCompletionSource _busy = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<string> Lines { get; } = new();

        /// <summary>Completes when a lock was not to be had.</summary>
        public Task Busy => _busy.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Lines.Enqueue($"{formatter(state, exception)} {exception}");
            if (formatter(state, exception).Contains("trying again"))
                _busy.TrySetResult();
        }
    }
}
