using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Benchmarks.Tenancy;

/// <summary>
/// What row-level security costs a statement: the same read of one session, once as the application with the tenant set and the
/// policies checked, once as a superuser with neither; written by hand, as what is run most often is, and through EF Core. There are
/// as many callers as keep both sides at work: a lone one sleeps at every answer, and that costs more than what is measured.
/// </summary>
internal static class RowLevelSecurityCost
{
    private const int Users = 1000;
    private const int SessionsOfEach = 20;
    private const int Callers = 8;
    private const int Reads = 150; // of each caller in one slice
    private const int Slices = 16;

    private const string User = "u500";
    private const string Session = "u500-10";

    private const string Statement =
        "SELECT id, user_id, organization_id, conversation_id, state, version, created_at, updated_at, last_accessed_at, expires_at FROM sessions WHERE user_id = $1 AND id = $2";

    // As every connection of the product's has it.
    private const string Prepared = ";Max Auto Prepare=50";

    /// <summary>Runs the benchmark on a throw-away PostgreSQL.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        await using var database = await BenchmarkDatabase.StartAsync(cancellationToken);
        await database.ExecuteAsync(
            $"""
            INSERT INTO users (id, created_at, updated_at) SELECT 'u' || u, now(), now() FROM generate_series(1, {Users}) u;
            INSERT INTO sessions (id, user_id, state, version, created_at, updated_at, last_accessed_at)
            SELECT format('u%s-%s', u, s), 'u' || u, '{"{\"step\": 1}"}', 1, now(), now(), now()
            FROM generate_series(1, {Users}) u, generate_series(1, {SessionsOfEach}) s;
            ANALYZE;
            """, cancellationToken);

        var tenant = new TenantContext();
        tenant.Enter(User);
        var (app, administrator) = (database.App + Prepared, database.Administrator + Prepared);
        return await new Contest($"A statement, {Callers} callers", redis: null, database, warmUps: 2, Slices)
            .Add(Of("by hand, with tenant and policies", _ => ReadAsync(new DatabasePool(app), tenant, cancellationToken)))
            .Add(Of("by hand, without either", _ => ReadAsync(new DatabasePool(administrator), null, cancellationToken)))
            .Add(Of("EF Core, with tenant and policies", Contexts(app, tenant)))
            .Add(Of("EF Core, without either", Contexts(administrator, null)))
            .RunAsync(cancellationToken);

        Func<int, Task> Contexts(string connectionString, TenantContext? of)
        {
            var contexts = Enumerable.Range(0, Callers).Select(_ => BenchmarkDatabase.Open(connectionString)).ToList();
            contexts.ForEach(context => context.Tenant = of);
            return caller => ReadAsync(contexts[caller], cancellationToken);
        }
    }

    private static Contestant Of(string name, Func<int, Task> readAsync) => Contestant.Parallel(name, Callers * Reads, readAsync, Callers);

    private static async Task ReadAsync(OpenHandsDb db, CancellationToken cancellationToken)
    {
        var (user, id) = (User, Session);
        _ = await db.Sessions.AsNoTracking().SingleAsync(session => session.UserId == user && session.Id == id, cancellationToken);
    }

    private static async Task ReadAsync(DatabasePool pool, TenantContext? tenant, CancellationToken cancellationToken)
    {
        var statement = new NpgsqlBatchCommand(Statement)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = User }, new NpgsqlParameter<string> { TypedValue = Session } },
        };
        if (tenant is not null)
        {
            await TenantTransaction.ReadAsync(pool, tenant, statement, Version, cancellationToken);
            return;
        }

        await using var connection = await pool.OpenAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { statement } };
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        Version(rows);
    }

    private static long Version(NpgsqlDataReader row) => row.GetInt64(row.GetOrdinal("version"));
}
