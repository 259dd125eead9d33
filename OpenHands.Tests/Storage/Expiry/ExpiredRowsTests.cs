using Microsoft.Extensions.Time.Testing;
using OpenHands.Storage.Expiry;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Expiry;

public sealed class ExpiredRowsTests(DatabaseServer server)
{
    [Fact]
    public async Task What_is_over_is_swept_out_of_all_tenants_and_nothing_else()
    {
        var database = await server.CreateMigratedAsync();
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        foreach (var user in new[] { await database.SignInAsync(), await database.SignInAsync() })
        {
            await database.QueryAsync(
                $"""
                INSERT INTO sessions (id, user_id, state, version, created_at, updated_at, last_accessed_at, expires_at)
                SELECT '{user}' || n, '{user}', jsonb_build_object(), 1, now(), now(), now(), at
                FROM (VALUES ('old', now() - interval '1 minute'), ('young', now() + interval '1 hour'), ('kept', NULL)) AS s(n, at);
                INSERT INTO idempotency_records (id, user_id, route, key, fingerprint, status, body, created_at)
                SELECT '{user}' || n, '{user}', 'POST /', n, decode(repeat('00', 32), 'hex'), 201, '', at
                FROM (VALUES ('old', now() - interval '25 hours'), ('young', now() - interval '23 hours')) AS r(n, at)
                """);
        }

        await using var rows = new ExpiredRows(database.System, time);
        var swept = await rows.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal((2, 2), (swept["sessions"], swept["idempotency_records"]));
        Assert.Equal(["4|2"], await database.QueryAsync("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM idempotency_records)"));
        time.Advance(TimeSpan.FromHours(2));
        swept = await rows.SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal((2, 2), (swept["sessions"], swept["idempotency_records"]));
    }
}
