#if !ASPIRE_PACKAGES // its processes are guarded by the embedded host
using System.Collections.Concurrent;
using System.Text;
using Npgsql;
using OpenHands.Hosting.Processes;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Worker.Maintenance;

/// <summary>The worker rotates what an operator asked for, while users go on, and another goes on when it is killed.</summary>
public sealed class RotateKeysTests(DatabaseServer server, RedisFixture redis)
{
    private const string Old = "the old key of the ring that has 32 characters and more";
    private const string New = "the new key of the ring that has 32 characters and more";

    private static readonly int Secrets = Environment.GetEnvironmentVariable("TEST_SCALE") == "1" ? 20_000 : 1_000;

    private readonly ConcurrentQueue<string> _output = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rotation_whose_worker_is_killed_is_finished_by_the_next_while_no_request_fails()
    {
        var database = await server.CreateMigratedAsync();
        await using var queues = await redis.CreateDatabaseAsync();
        var user = await database.SignInAsync();
        await FillAsync(database, user);
        await using var system = NpgsqlDataSource.Create(database.System);
        var runs = new KeyRotationRuns(system, TimeProvider.System);
        var id = await runs.RequestAsync(new KeyRing(New).KeyIds[0], 100_000, Token);
        Assert.Equal(id, await runs.RequestAsync(new KeyRing(New).KeyIds[0], 100_000, Token)); // asking twice is asking once

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var users = Enumerable.Range(0, 2).Select(number => UseAsync(database, user, number, stop.Token)).ToList();
        await using (var victim = Start(database, queues.ConnectionString))
        {
            // In the middle: one batch at least is done, and many are not.
            await Eventually.TrueAsync("it is in the middle of it", async () => await LeftAsync(database) < Secrets || victim.Exited.IsCompleted);
            System.Diagnostics.Process.GetProcessById(await victim.ProcessId).Kill();
            await victim.Exited;
        }

        await using var next = Start(database, queues.ConnectionString);
        await Eventually.TrueAsync("it is done", async () =>
        {
            Assert.False(next.Exited.IsCompleted, string.Join('\n', _output));
            return (await runs.FindAsync(id, Token))!.FinishedAt is not null;
        });
        await stop.CancelAsync();
        Assert.True((await Task.WhenAll(users)).Sum() > 0);

        var run = (await runs.FindAsync(id, Token))!;
        Assert.Empty(run.Refused);
        Assert.Equal([new KeyRing(Old).KeyIds[0]], run.Removable);
        Assert.Equal(0, await LeftAsync(database));
        // The one task of it shows the same, and that a worker went away while it ran.
        Assert.Equal(
            [$"done|{run.Rotated}|{run.Rotated}|{run.Rotated}"],
            await database.QueryAsync("SELECT status, progress ->> 'done', progress ->> 'total', result ->> 'rotated' FROM tasks WHERE type = 'keys.rotate'"));
        // The old key is gone from the configuration.
        Assert.StartsWith("value", await ReadAsync(database, user, new KeyRing(New), "SECRET_1"));
    }

    private static Task<long> LeftAsync(TestDatabase database) => CountAsync(database, $"SELECT count(*) FROM secrets WHERE key_id LIKE '{new KeyRing(Old).KeyIds[0]}%'");

    private static async Task<long> CountAsync(TestDatabase database, string query) =>
        long.Parse((await database.QueryAsync(query)).Single(), System.Globalization.CultureInfo.InvariantCulture);

    private static async Task FillAsync(TestDatabase database, string user)
    {
        await database.QueryAsync($"INSERT INTO encryption_keys VALUES ('{new KeyRing(Old).KeyIds[0]}', now())");
        await using var db = database.Open(user);
        var cipher = new SecretCipher(new KeyRing(Old), new TenantKeys(writes: true, TimeProvider.System));
        await cipher.PrepareAsync(db, SecretOwner.User(user), writes: true, Token);
        var now = TimeProvider.System.GetUtcNow();
        for (var number = 0; number < Secrets; number++)
        {
            var secret = new Secret
            {
                Id = $"{user}{number}",
                UserId = user,
                Kind = SecretKind.Custom,
                Key = $"SECRET_{number}",
                ValueEncrypted = "",
                KeyId = "",
                Description = "",
                CreatedAt = now,
                UpdatedAt = now,
            };
            cipher.Seal(secret, Encoding.UTF8.GetBytes($"value {number}"), now);
            db.Secrets.Add(secret);
        }

        await db.SaveChangesAsync(Token);
    }

    // Until it is stopped: one process already has the new key as its current one, the other still the old; both read and write.
    private static async Task<int> UseAsync(TestDatabase database, string user, int number, CancellationToken stop)
    {
        var ring = number == 0 ? new KeyRing(New, Old) : new KeyRing(Old, New);
        var operations = 0;
        for (; !stop.IsCancellationRequested; operations++)
        {
            var name = $"SECRET_{operations * 7 % 1000}";
            Assert.StartsWith("value", await ReadAsync(database, user, ring, name));
            if (number == 0)
            {
                await using var db = database.Open(user);
                await using var caches = new Caches(database);
                Assert.Equal(SecretOutcome.Done, await Store(database, db, caches, ring).ReplaceValueAsync(SecretOwner.User(user), name, $"value of {operations}", Token));
            }
        }

        return operations;
    }

    private static async Task<string> ReadAsync(TestDatabase database, string user, KeyRing ring, string name)
    {
        await using var db = database.Open(user);
        await using var caches = new Caches(database);
        return Encoding.UTF8.GetString((await Store(database, db, caches, ring).FindValueAsync(user, null, name, Token))!);
    }

    private static SecretStore Store(TestDatabase database, OpenHands.Storage.OpenHandsDb db, Caches caches, KeyRing ring) =>
        new(db, new SecretCipher(ring, new TenantKeys(writes: true, TimeProvider.System)), caches.Secrets, database.Audit, TimeProvider.System);

    private GuardedProcess Start(TestDatabase database, string redisConnection) => GuardedProcess.Start(new()
    {
        FileName = Path.Combine(AppContext.BaseDirectory, "OpenHands.Worker"),
        // As arguments: a shell between us and the worker may drop a variable whose name has a hyphen.
        Arguments =
        [
            $"--ConnectionStrings:openhands={database.App}", $"--ConnectionStrings:openhands-system={database.System}",
            $"--ConnectionStrings:redis={redisConnection}", $"--ConnectionStrings:secrets={New}", $"--Secrets:PreviousKeys={Old}",
            $"--urls=http://127.0.0.1:{RunningServer.FreePort()}",
        ],
        Environment = new Dictionary<string, string?>
        {
            ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "../../..")),
        },
        Output = (line, _) => _output.Enqueue(line),
    });
}
#endif
