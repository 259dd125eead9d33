using Microsoft.EntityFrameworkCore;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Benchmarks.Tenancy;

/// <summary>
/// What row-level security costs a statement: the same read of one session through EF Core, once as the application with the
/// tenant set and the policies checked, once as a superuser with neither.
/// </summary>
internal static class RowLevelSecurityCost
{
    private const int Users = 1000;
    private const int SessionsOfEach = 20;
    private const int Reads = 20_000;

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

        await using var secured = BenchmarkDatabase.Open(database.App + Prepared);
        await using var bare = BenchmarkDatabase.Open(database.Administrator + Prepared);
        secured.Tenant = new TenantContext();
        secured.Tenant.Enter("u500");
        return await new Contest("A statement", redis: null, database, warmUps: 2)
            .Add(new Contestant("with tenant and policies", Reads, token => ReadAsync(secured, token)))
            .Add(new Contestant("without either", Reads, token => ReadAsync(bare, token)))
            .RunAsync(cancellationToken);
    }

    private static async Task ReadAsync(OpenHandsDb db, CancellationToken cancellationToken)
    {
        var (user, id) = ("u500", "u500-10");
        for (var read = 0; read < Reads; read++)
            _ = await db.Sessions.AsNoTracking().SingleAsync(session => session.UserId == user && session.Id == id, cancellationToken);
    }
}
