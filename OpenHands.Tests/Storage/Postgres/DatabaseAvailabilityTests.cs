using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Users;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Postgres;

/// <summary>The failures are real ones, caused at a real server.</summary>
public sealed class DatabaseAvailabilityTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    [Fact]
    public async Task Nobody_listening_is_unavailable()
    {
        using var port = new ClosedPort();
        Assert.True(DatabaseAvailability.IsUnavailable(await FailureAsync(To(port.Number))));
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_unavailable_within_two_seconds()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var started = Stopwatch.GetTimestamp();
        var failure = await FailureAsync(DatabaseConnection.WithBounds(To(((IPEndPoint)silent.LocalEndpoint).Port)));
        var took = Stopwatch.GetElapsedTime(started);
        Assert.True(DatabaseAvailability.IsUnavailable(failure));
        Assert.True(took < TimeSpan.FromSeconds(2), $"It took {took}.");
    }

    [Fact]
    public async Task Tables_that_are_not_migrated_yet_are_unavailable()
    {
        var database = await fixture.Server.CreateEmptyAsync();
        Assert.True(DatabaseAvailability.IsUnavailable(await FailureOfContextAsync(database, db => db.Users.CountAsync())));
    }

    [Theory]
    [InlineData("Database", "not_made_yet")]
    [InlineData("Username", "no_such_role")]
    [InlineData("Password", "not the one")]
    public async Task What_the_migration_step_has_yet_to_make_is_unavailable(string keyword, string value) =>
        Assert.True(DatabaseAvailability.IsUnavailable(await FailureAsync(Changed(keyword, value))));

    [Fact]
    public async Task Too_many_connections_are_unavailable()
    {
        var role = $"crowded_{Guid.CreateVersion7():n}";
        await fixture.Database.QueryAsync($"CREATE ROLE {role} LOGIN PASSWORD 'p' CONNECTION LIMIT 0");
        var crowded = new NpgsqlConnectionStringBuilder(fixture.Database.App) { Username = role, Password = "p" }.ConnectionString;
        var failure = Assert.IsType<PostgresException>(await FailureAsync(crowded), exactMatch: false);
        Assert.Equal(PostgresErrorCodes.TooManyConnections, failure.SqlState);
        Assert.True(DatabaseAvailability.IsUnavailable(failure));
    }

    [Fact]
    public async Task An_exhausted_pool_is_unavailable()
    {
        var one = new NpgsqlConnectionStringBuilder(fixture.Database.App) { MaxPoolSize = 1, Timeout = 1 }.ConnectionString;
        await using var taken = new NpgsqlConnection(one);
        await taken.OpenAsync(TestContext.Current.CancellationToken);
        Assert.True(DatabaseAvailability.IsUnavailable(await FailureAsync(one)));
    }

    [Fact]
    public async Task A_connection_that_the_administrator_ends_is_unavailable_also_inside_a_context()
    {
        var failure = await FailureOfContextAsync(fixture.Database, async db =>
        {
            await db.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
            var process = await db.Database.SqlQuery<int>($"SELECT pg_backend_pid() AS \"Value\"").SingleAsync(TestContext.Current.CancellationToken);
            await fixture.Database.QueryAsync($"SELECT pg_terminate_backend({process})");
            db.Users.Add(new User { Id = EntityId.New(TimeProvider.System) });
            return await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        });
        Assert.True(DatabaseAvailability.IsUnavailable(failure), failure.ToString());
    }

    [Fact]
    public async Task A_statement_that_runs_too_long_is_unavailable()
    {
        var failure = await FailureAsync(Changed("Command Timeout", "1"), "SELECT pg_sleep(30)");
        Assert.True(DatabaseAvailability.IsUnavailable(failure));
    }

    [Fact]
    public async Task A_violated_constraint_is_an_error_of_ours()
    {
        var failure = await FailureOfContextAsync(fixture.Database, db =>
        {
            var id = EntityId.New(TimeProvider.System);
            return db.Database.ExecuteSqlAsync($"INSERT INTO users (id, created_at, updated_at) VALUES ({id}, now(), now()), ({id}, now(), now())");
        });
        Assert.False(DatabaseAvailability.IsUnavailable(failure));
    }

    [Fact]
    public async Task A_statement_that_is_wrong_is_an_error_of_ours() =>
        Assert.False(DatabaseAvailability.IsUnavailable(await FailureAsync(fixture.Database.App, "SELEC 1")));

    [Fact]
    public void Failures_of_others_do_not_count()
    {
        Assert.False(DatabaseAvailability.IsUnavailable(null));
        Assert.False(DatabaseAvailability.IsUnavailable(new TimeoutException()));
        Assert.False(DatabaseAvailability.IsUnavailable(new HttpRequestException("refused", new SocketException(111))));
        Assert.False(DatabaseAvailability.IsUnavailable(new OperationCanceledException()));
    }

    private static string To(int port) => $"Host=127.0.0.1;Port={port};Username=u;Password=p;Database=d;Pooling=false";

    private string Changed(string keyword, string value) =>
        new NpgsqlConnectionStringBuilder(fixture.Database.App) { [keyword] = value, Pooling = false }.ConnectionString;

    private static async Task<Exception> FailureAsync(string connectionString, string statement = "SELECT 1") =>
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        });

    private static async Task<Exception> FailureOfContextAsync(TestDatabase database, Func<OpenHandsDb, Task<int>> act) =>
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var db = database.Open();
            await act(db);
        });
}
