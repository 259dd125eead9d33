using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Storage.Settings;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Secrets.Rotation;

/// <summary>Everything stored comes under the new key while users go on, and then the old key may go.</summary>
public sealed class KeyRotationTests(DatabaseServer server)
{
    private const string Old = "the old key of the ring, with 32 characters and more";
    private const string New = "the new key of the ring, with 32 characters and more";

    private static readonly int Secrets = Environment.GetEnvironmentVariable("TEST_SCALE") == "1" ? 20_000 : 1_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_left_on_the_old_key_and_no_reader_or_writer_fails_meanwhile()
    {
        var database = await server.CreateMigratedAsync();
        var user = await database.SignInAsync();
        await FillAsync(database, user, Secrets);
        await SaveSettingsAsync(database, user, new KeyRing(Old));
        await database.QueryAsync($"INSERT INTO encryption_keys VALUES ('{new KeyRing(Old).Current.Id}', now())");
        await using var system = NpgsqlDataSource.Create(database.System);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var load = Enumerable.Range(0, 2).Select(worker => UseAsync(database, user, worker, stop.Token)).ToList();
        var reports = new List<KeyRotationProgress>();
        var started = TimeProvider.System.GetTimestamp();
        var result = await new KeyRotation(new KeyRing(New, Old), new KeyRotationOptions { RowsPerSecond = 100_000 }, TimeProvider.System)
            .RunAsync(system, new Reports(reports), Token);
        await stop.CancelAsync();
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        var operations = await Task.WhenAll(load);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{result.Rotated} rows rotated in {elapsed.TotalSeconds:F1} s beside {operations.Sum()} reads and writes, of which none failed; {result.Refused.Count} rows refused"));

        Assert.Empty(result.Refused);
        Assert.True(operations.Sum() > 0);
        Assert.True(result.Rotated >= Secrets + 1, $"{result.Rotated}");
        Assert.Equal(result.Rotated, reports[^1].Rotated);
        Assert.Equal(reports.Select(report => report.Rotated).Order(), reports.Select(report => report.Rotated));
        Assert.Equal([$"{new KeyRing(New).Current.Id}"], await database.QueryAsync(
            "SELECT key_id FROM secrets UNION SELECT key_id FROM secret_versions UNION SELECT key_id FROM user_settings"));

        // The old key is gone: everything is read with the new one alone.
        Assert.Equal([new KeyRing(Old).Current.Id], result.Removable);
        await using var db = database.Open(user);
        await using var caches = new Caches(database);
        var store = new SecretStore(db, new SecretCipher(new KeyRing(New)), caches.Secrets, database.Audit, TimeProvider.System);
        // A fast writer may have come to this one as well.
        Assert.Matches("^value (0|of [0-9]+)$", Encoding.UTF8.GetString((await store.FindValueAsync(user, null, "SECRET_0", Token))!));
        Assert.Equal(SecretOutcome.Done, await store.RestoreAsync(SecretOwner.User(user), "VERSIONED", 1, Token));
        var settings = await new SettingsStore(db, new SecretCipher(new KeyRing(New)), database.Audit, TimeProvider.System).FindAsync(user, Token);
        Assert.True(settings!.HasLlmApiKey);
    }

    [Fact]
    public async Task A_run_that_was_stopped_is_resumed_by_the_next()
    {
        var database = await server.CreateMigratedAsync();
        var user = await database.SignInAsync();
        await FillAsync(database, user, 300);
        await using var system = NpgsqlDataSource.Create(database.System);
        var rotation = new KeyRotation(new KeyRing(New, Old), new KeyRotationOptions { BatchSize = 10, RowsPerSecond = 100_000 }, TimeProvider.System);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rotation.RunAsync(system, new Stopper(stop, after: 50), stop.Token));
        var left = await rotation.RemainingAsync(system, Token);
        Assert.InRange(left, 1, 252);

        var result = await rotation.RunAsync(system, null, Token);
        Assert.Equal(left, result.Rotated);
        Assert.Equal(0, await rotation.RemainingAsync(system, Token));
    }

    [Fact]
    public async Task What_cannot_be_read_stays_is_named_and_keeps_the_old_key_in_use()
    {
        var database = await server.CreateMigratedAsync();
        var user = await database.SignInAsync();
        await FillAsync(database, user, 20);
        await database.QueryAsync("UPDATE secrets SET value_encrypted = (SELECT value_encrypted FROM secrets WHERE key = 'SECRET_1') WHERE key = 'SECRET_2'");
        await database.QueryAsync($"INSERT INTO encryption_keys VALUES ('{new KeyRing(Old).Current.Id}', now())");
        await using var system = NpgsqlDataSource.Create(database.System);

        var result = await new KeyRotation(new KeyRing(New, Old), new KeyRotationOptions { BatchSize = 3 }, TimeProvider.System).RunAsync(system, null, Token);
        Assert.Equal(await database.QueryAsync("SELECT 'secrets:' || id FROM secrets WHERE key = 'SECRET_2'"), result.Refused);
        Assert.Equal(["SECRET_2"], await database.QueryAsync($"SELECT key FROM secrets WHERE key_id = '{new KeyRing(Old).Current.Id}'"));
        Assert.Empty(result.Removable);
    }

    [Fact]
    public async Task A_row_that_somebody_holds_is_waited_for()
    {
        var database = await server.CreateMigratedAsync();
        var user = await database.SignInAsync();
        await FillAsync(database, user, 5);
        await using var system = NpgsqlDataSource.Create(database.System);
        await using var holder = new NpgsqlConnection(database.Administrator);
        await holder.OpenAsync(Token);
        await using var transaction = await holder.BeginTransactionAsync(Token);
        await using (var hold = new NpgsqlCommand("SELECT 1 FROM secrets WHERE key = 'SECRET_3' FOR UPDATE", holder, transaction))
            await hold.ExecuteNonQueryAsync(Token);

        var others = new TaskCompletionSource();
        var run = new KeyRotation(new KeyRing(New, Old), new KeyRotationOptions(), TimeProvider.System)
            .RunAsync(system, new Signal(others, rotated: 5), Token); // four of the five, and the one with versions
        await others.Task.WaitAsync(Token);
        Assert.False(run.IsCompleted);
        await transaction.RollbackAsync(Token);
        Assert.Empty((await run).Refused);
        Assert.Equal(["0"], await database.QueryAsync($"SELECT count(*) FROM secrets WHERE key_id = '{new KeyRing(Old).Current.Id}'"));
    }

    // A new table with ciphertexts has to be rotated, too.
    [Fact]
    public async Task Every_table_with_ciphertexts_is_rotated()
    {
        var database = await server.CreateMigratedAsync();
        Assert.Equal(["data_protection_keys", "organization_settings", "secret_versions", "secrets", "user_settings", "webhooks"], await database.QueryAsync(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'key_id' ORDER BY 1"));
    }

    private static async Task FillAsync(TestDatabase database, string user, int secrets)
    {
        await using var db = database.Open(user);
        var cipher = new SecretCipher(new KeyRing(Old));
        var now = TimeProvider.System.GetUtcNow();
        for (var number = 0; number < secrets; number++)
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
        db.ChangeTracker.Clear();
        await using var caches = new Caches(database);
        var store = new SecretStore(db, cipher, caches.Secrets, database.Audit, TimeProvider.System);
        await store.AddAsync(SecretOwner.User(user), "VERSIONED", "one", null, Token);
        await store.ReplaceValueAsync(SecretOwner.User(user), "VERSIONED", "two", Token);
    }

    private static async Task SaveSettingsAsync(TestDatabase database, string user, KeyRing ring)
    {
        await using var db = database.Open(user);
        await new SettingsStore(db, new SecretCipher(ring), database.Audit, TimeProvider.System).MergeAsync(user, new SettingsPost(new JsonObject { ["llm_api_key"] = "sk-a" }), Token);
    }

    // Until it is stopped: one process reads and writes; the other still has the old key as its current one, and reads.
    private static async Task<int> UseAsync(TestDatabase database, string user, int worker, CancellationToken stop)
    {
        var ring = worker == 0 ? new KeyRing(New, Old) : new KeyRing(Old, New);
        var operations = 0;
        while (!stop.IsCancellationRequested)
        {
            await using var db = database.Open(user);
            await using var caches = new Caches(database);
            var store = new SecretStore(db, new SecretCipher(ring), caches.Secrets, database.Audit, TimeProvider.System);
            var number = operations * 7 % 1000;
            var value = await store.FindValueAsync(user, null, $"SECRET_{number}", Token);
            Assert.StartsWith("value", Encoding.UTF8.GetString(value!));
            if (worker == 0)
                Assert.Equal(SecretOutcome.Done, await store.ReplaceValueAsync(SecretOwner.User(user), $"SECRET_{(number + 500) % 1000}", $"value of {operations}", Token));
            operations++;
        }

        return operations;
    }

    private sealed class Reports(List<KeyRotationProgress> all) : IProgress<KeyRotationProgress>
    {
        public void Report(KeyRotationProgress value) => all.Add(value);
    }

    private sealed class Stopper(CancellationTokenSource stop, long after) : IProgress<KeyRotationProgress>
    {
        public void Report(KeyRotationProgress value)
        {
            if (value.Rotated >= after)
                stop.Cancel();
        }
    }

    private sealed class Signal(TaskCompletionSource done, long rotated) : IProgress<KeyRotationProgress>
    {
        public void Report(KeyRotationProgress value)
        {
            if (value.Rotated >= rotated)
                done.TrySetResult();
        }
    }
}
