using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage.Expiry;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Api.Authorization;

/// <summary>
/// An index for every query: PostgreSQL counts what is read beside thousands of other tenants. A query without an index, or a policy
/// that cannot use one, reads a whole table.
/// </summary>
public sealed class QueryCostTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private const int Others = 3000;

    private readonly AuthorizedApi _api = new(server, redis);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _api.InitializeAsync();

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task No_route_reads_more_because_there_are_thousands_of_other_tenants()
    {
        var alone = await CountAsync(CallEveryRouteAsync);
        var filled = await OtherTenants.AddAsync(_api.Database, Others);
        Assert.All(
            ["api_keys", "audit_events", "organization_memberships", "secrets", "sessions", "tasks", "user_settings", "users", "webhooks"],
            table => Assert.Contains(table, filled));
        var among = await CountAsync(CallEveryRouteAsync);

        Assert.All(filled, table => Assert.True(
            among[table].InOrder < Others && among[table].ByIndex < alone[table].ByIndex + Others,
            $"{table}: {among[table]} rows were read beside {Others} of other tenants, {alone[table]} without them. A query has no index."));
        // So that the figures can be believed.
        Assert.All(filled.Where(table => table is "secrets" or "sessions" or "users"), table => Assert.NotEqual(0, among[table].ByIndex));
        Assert.True((await CountAsync(() => _api.Database.QueryAsync("SELECT max(updated_at) FROM users")))["users"].InOrder > Others);
    }

    [Fact]
    public async Task No_work_of_the_worker_reads_what_it_has_nothing_to_do_with()
    {
        await _api.CreateOwnerAsync();
        await _api.Database.QueryAsync("UPDATE tasks SET status = 'done', finished_at = now(), expires_at = now() + interval '1 day'");
        // Of a small table it is cheaper to read all than to look up as many as a worker settles at once.
        await OtherTenants.AddAsync(_api.Database, 4 * Others, table => table == "tasks");
        await _api.Database.QueryAsync("UPDATE tasks SET status = 'scheduled', queue = 'q', run_at = now() + interval '1 day', expires_at = NULL WHERE id < '8'; ANALYZE tasks");
        await OtherTenants.AddAsync(_api.Database, Others, table => table is "sessions" or "invitations" or "secrets" or "webhooks");
        await using var keys = await redis.CreateDatabaseAsync();
        await using var queues = TestQueues.Of(_api.Database, keys);

        var read = await CountAsync(async () =>
        {
            using var done = new CountdownEvent(20);
            await using var worker = await WorkerHost.StartAsync(
                queues,
                (_, _) =>
                {
                    done.Signal();
                    return Task.FromResult<TaskOutcome>(new TaskOutcome.Done());
                },
                $"ConnectionStrings:secrets={ApiHost.KeyRing}");
            await queues.EnqueueAsync("q", [.. Enumerable.Range(0, done.InitialCount)]);
            await Eventually.TrueAsync("all that are due are done", () => done.IsSet);
            await worker.Services.GetRequiredService<ExpiredRows>().SweepAsync(Cancelled);
        });
        Assert.All(["tasks", "sessions", "invitations", "secrets", "webhooks"], table => Assert.True(
            read[table].InOrder + read[table].ByIndex < Others, $"{table}: {read[table]} rows were read that are none of its business."));
        Assert.NotEqual(0, read["tasks"].ByIndex);
    }

    private async Task CallEveryRouteAsync()
    {
        var reader = await _api.CreateOwnerAsync();
        var busy = new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancelled };
        await Parallel.ForEachAsync(_api.Routes, busy, async (route, _) =>
        {
            // What one route deletes another would miss.
            var owner = route.Method == "GET" ? reader : await _api.CreateOwnerAsync();
            await _api.CallAsync(route, owner.Values(route), owner.Token);
        });
    }

    private async Task<IReadOnlyDictionary<string, (long InOrder, long ByIndex)>> CountAsync(Func<Task> doAsync)
    {
        var before = await OtherTenants.ReadsAsync(_api.Database);
        await doAsync();
        var after = await OtherTenants.ReadsAsync(_api.Database);
        return after.ToDictionary(table => table.Key, table => before.TryGetValue(table.Key, out var had)
            ? (table.Value.InOrder - had.InOrder, table.Value.ByIndex - had.ByIndex)
            : table.Value);
    }
}
