using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Facts;

/// <summary>What we lean on, or walk around, in PostgreSQL's row-level security.</summary>
public sealed class RowLevelSecurityFacts(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_tenant_there_are_no_rows_and_none_can_be_made()
    {
        await fixture.Database.SignInAsync();
        await using var db = fixture.Database.Open();
        Assert.Empty(await db.Users.ToListAsync(Token));
        Assert.Empty(await db.Organizations.ToListAsync(Token));
        Assert.Empty(await db.OrganizationMemberships.ToListAsync(Token));
        await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlAsync(
            $"INSERT INTO users (id, created_at, updated_at) VALUES ('somebody', now(), now())", Token));
    }

    [Fact]
    public async Task A_local_setting_leaves_an_empty_text_behind_and_no_error()
    {
        await using var connection = await OneConnectionAsync();
        Assert.Equal(DBNull.Value, await ScalarAsync(connection, "SELECT current_setting('app.user_id', true)"));
        await ScalarAsync(connection, "SELECT set_config('app.user_id', 'somebody', true)");
        Assert.Equal("", await ScalarAsync(connection, "SELECT current_setting('app.user_id', true)"));
        Assert.Equal(DBNull.Value, await ScalarAsync(connection, "SELECT tenant_user()"));
        Assert.Equal(0L, await ScalarAsync(connection, "SELECT count(*) FROM users"));
    }

    [Fact]
    public async Task The_tenant_of_one_context_is_gone_when_the_next_gets_its_connection()
    {
        var user = await fixture.Database.SignInAsync();
        var one = new TestDatabaseWithOneConnection(fixture.Database);
        await using (var db = one.Open(user))
        {
            Assert.Single(await db.Users.ToListAsync(Token));
            await using var transaction = await db.Database.BeginTransactionAsync(Token);
            Assert.Single(await db.Users.ToListAsync(Token));
            await transaction.CommitAsync(Token);
        }

        await using (var db = one.Open(null))
            Assert.Empty(await db.Users.ToListAsync(Token));
    }

    [Fact]
    public async Task A_setting_of_the_session_would_leak()
    {
        var user = await fixture.Database.SignInAsync();
        await using var connection = await OneConnectionAsync();
        await ScalarAsync(connection, $"SELECT set_config('app.user_id', '{user}', false)");
        Assert.Equal(1L, await ScalarAsync(connection, "SELECT count(*) FROM users"));
    }

    [Fact]
    public async Task A_policy_that_reads_its_own_table_recurses()
    {
        var database = await fixture.Server.CreateMigratedAsync();
        await database.QueryAsync(
            """
            SET ROLE openhands_owner;
            CREATE TABLE circles (id int);
            ALTER TABLE circles ENABLE ROW LEVEL SECURITY;
            CREATE POLICY circle ON circles USING (EXISTS (SELECT FROM circles c WHERE c.id = circles.id))
            """);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(database.App, "SELECT * FROM circles"));
        Assert.Equal(PostgresErrorCodes.InvalidObjectDefinition, refused.SqlState);
    }

    [Fact]
    public async Task A_plain_foreign_key_reaches_rows_that_cannot_be_seen_and_a_composite_one_does_not()
    {
        var database = await fixture.Server.CreateMigratedAsync();
        await database.QueryAsync(
            """
            SET ROLE openhands_owner;
            CREATE TABLE things (id int PRIMARY KEY, tenant text NOT NULL, UNIQUE (tenant, id));
            INSERT INTO things VALUES (1, 'other');
            ALTER TABLE things ENABLE ROW LEVEL SECURITY;
            ALTER TABLE things FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON things USING (tenant = tenant_user());
            CREATE TABLE plain (thing int REFERENCES things (id), tenant text NOT NULL);
            CREATE TABLE composite (thing int, tenant text NOT NULL, FOREIGN KEY (tenant, thing) REFERENCES things (tenant, id))
            """);
        await ExecuteAsync(database.App, "SELECT set_config('app.user_id', 'me', true); INSERT INTO plain VALUES (1, 'me')");
        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            ExecuteAsync(database.App, "SELECT set_config('app.user_id', 'me', true); INSERT INTO composite VALUES (1, 'me')"));
        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, refused.SqlState);
    }

    private static async Task ExecuteAsync(string connectionString, string statements)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(statements, connection);
        await command.ExecuteNonQueryAsync(Token);
    }

    private async Task<NpgsqlConnection> OneConnectionAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(fixture.Database.App) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Token);
        return connection;
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string query)
    {
        await using var command = new NpgsqlCommand(query, connection);
        return await command.ExecuteScalarAsync(Token);
    }

    // No reset between uses, as behind a transaction pooler.
    private sealed class TestDatabaseWithOneConnection(TestDatabase database)
    {
        private readonly string _connection = new NpgsqlConnectionStringBuilder(database.App) { MaxPoolSize = 1, NoResetOnClose = true, ApplicationName = "one" }.ConnectionString;

        public OpenHands.Storage.OpenHandsDb Open(string? user)
        {
            var db = database.Open(user);
            db.Database.SetConnectionString(_connection);
            return db;
        }
    }
}
