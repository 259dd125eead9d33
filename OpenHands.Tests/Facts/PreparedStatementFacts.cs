using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Tenancy;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Facts;

/// <summary>A statement that Npgsql was about to prepare counts as prepared, although the batch was never sent.</summary>
public sealed class PreparedStatementFacts(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private const string HalfACharacter = "\ud800";

    private readonly TenantContext _tenant = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // One connection for all, prepared at once.
    private string ConnectionString => new NpgsqlConnectionStringBuilder(fixture.Database.App)
    {
        MaxAutoPrepare = 10,
        AutoPrepareMinUsages = 1,
        MaxPoolSize = 1,
        ApplicationName = TestContext.Current.Test!.UniqueID,
    }.ConnectionString;

    [Fact]
    public async Task A_batch_that_cannot_be_sent_spoils_what_comes_first_in_it_for_the_connection()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await Assert.ThrowsAnyAsync<ArgumentException>(() => RunAsync(HalfACharacter));

        Assert.Equal("26000", (await Assert.ThrowsAsync<PostgresException>(() => RunAsync("a"))).SqlState);

        async Task RunAsync(string text)
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new("SELECT 1"), Echo(text) } };
            await batch.ExecuteNonQueryAsync(Token);
        }
    }

    [Fact]
    public async Task A_statement_alone_is_not_spoilt()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Token);
        await Assert.ThrowsAnyAsync<ArgumentException>(() => RunAsync(HalfACharacter));

        await RunAsync("a");

        async Task RunAsync(string text)
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Echo(text), new("SELECT 1") } };
            await batch.ExecuteNonQueryAsync(Token);
        }
    }

    [Fact]
    public async Task A_context_does_not_leave_such_a_connection_to_the_next()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => FindAsync(HalfACharacter));

        Assert.Empty(await FindAsync("a"));

        async Task<IReadOnlyList<string>> FindAsync(string id)
        {
            var options = new DbContextOptionsBuilder<OpenHandsDb>();
            options.UseNpgsql(ConnectionString).UseOpenHandsDb();
            await using var db = new OpenHandsDb(options.Options) { Tenant = _tenant };
            _tenant.Enter("u");
            return await db.Sessions.Where(session => session.Id == id).Select(session => session.Id).ToListAsync(Token);
        }
    }

    [Fact]
    public async Task Neither_does_what_is_written_by_hand_and_the_session_stays()
    {
        var session = await SessionAsync();
        await Assert.ThrowsAnyAsync<ArgumentException>(() => EchoAsync(HalfACharacter));

        Assert.Equal("a", await EchoAsync("a"));
        Assert.Equal(session, await SessionAsync());

        async Task<int> SessionAsync()
        {
            await using var connection = new NpgsqlConnection(ConnectionString); // the only one of the pool
            await connection.OpenAsync(Token);
            return connection.ProcessID;
        }

        Task<string?> EchoAsync(string text)
        {
            _tenant.Enter("u");
            return TenantTransaction.ReadAsync(new DatabasePool(ConnectionString), _tenant, Echo(text), row => row.GetString(0), Token);
        }
    }

    private static NpgsqlBatchCommand Echo(string text) => new("SELECT $1") { Parameters = { new NpgsqlParameter<string> { TypedValue = text } } };
}
