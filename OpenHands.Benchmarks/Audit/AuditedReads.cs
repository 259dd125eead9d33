using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Audit;

/// <summary>
/// What auditing costs the readers of secrets: many at a time read a cached secret, once through the store, which audits and is
/// sealed meanwhile, once through the same steps without audit. A turn ends when everything that it read is sealed.
/// </summary>
internal static class AuditedReads
{
    private const int Readers = 256;
    private const int ReadsOfOne = 600; // so that a turn lasts for many rounds of the sealer, who has only the last to do when it ends
    private const string Name = "TOKEN";

    private static readonly KeyRing Ring = new("the ring of the benchmark, with 32 characters");

    /// <summary>Runs the benchmark on a throw-away PostgreSQL and Redis.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        await using var database = await BenchmarkDatabase.StartAsync(cancellationToken);
        await using var redis = await BenchmarkRedis.StartAsync(cancellationToken);
        await using var services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(redis.Connection).BuildServiceProvider();
        await database.ExecuteAsync("INSERT INTO users (id, created_at, updated_at) VALUES ('u1', now(), now())", cancellationToken);
        var cache = new SecretCache(new LeaseCache(new RedisGate(services, TimeProvider.System, NullLogger<RedisGate>.Instance), TimeProvider.System));
        var cipher = new SecretCipher(Ring, new TenantKeys(writes: true, TimeProvider.System));
        var audit = new AuditLog(new DatabasePool(Patient(database.App)), TimeProvider.System);
        var readers = Enumerable.Range(0, Readers).Select(_ => Open(database)).ToList();
        var stores = readers.ConvertAll(db => new SecretStore(db, cipher, cache, audit, TimeProvider.System));
        await stores[0].AddAsync(SecretOwner.User("u1"), Name, "a value as long as a token is", null, cancellationToken);

        return await new Contest($"Reading a secret that is kept in Redis, {Readers} readers at a time", redis, database)
            .Add(new Contestant("audited and sealed", Readers * ReadsOfOne, async token =>
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(token);
                var sealing = SealAsync(database.System, stop.Token);
                await ReadAllAsync(reader => stores[reader].FindValueAsync("u1", null, Name, token));
                await stop.CancelAsync();
                await sealing;
            }))
            .Add(new Contestant("without audit", Readers * ReadsOfOne, token => ReadAllAsync(reader => ReadAsync(readers[reader], cipher, cache, token))))
            .RunAsync(cancellationToken);
    }

    private static Task ReadAllAsync(Func<int, Task> readAsync) => Task.WhenAll(Enumerable.Range(0, Readers).Select(reader => Task.Run(async () =>
    {
        for (var read = 0; read < ReadsOfOne; read++)
            await readAsync(reader);
    })));

    // The steps of SecretStore.FindValueAsync but one.
    private static async Task ReadAsync(OpenHandsDb db, SecretCipher cipher, SecretCache cache, CancellationToken cancellationToken)
    {
        var rows = db.Secrets.Where(secret => secret.UserId == "u1" && secret.OrganizationId == null && secret.Kind == SecretKind.Custom && secret.Key == Name);
        var kept = await cache.FindAsync(
            SecretOwner.User("u1"), Name,
            token => rows.Select(secret => new KeptSecret(secret.Id, secret.UserId, secret.OrganizationId, secret.Key, secret.Version, secret.ValueEncrypted, secret.UpdatedAt)).SingleOrDefaultAsync(token),
            token => rows.Select(secret => (DateTimeOffset?)secret.UpdatedAt).SingleOrDefaultAsync(token), cancellationToken);
        await cipher.PrepareAsync(db, SecretOwner.User("u1"), writes: false, cancellationToken);
        _ = Encoding.UTF8.GetString(cipher.Open(kept!));
    }

    private static OpenHandsDb Open(BenchmarkDatabase database)
    {
        var db = BenchmarkDatabase.Open(Patient(database.App));
        db.Tenant = new TenantContext { Origin = new AuditOrigin("192.0.2.1", null, "request") };
        db.Tenant.Enter("u1");
        return db;
    }

    // A machine that is measured is busy.
    private static string Patient(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString) { Timeout = 60, CommandTimeout = 60 }.ConnectionString;

    private static async Task SealAsync(string system, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(system);
        await connection.OpenAsync(CancellationToken.None);
        var sealer = new AuditSealer(Ring, TimeProvider.System);
        bool isLast;
        do
        {
            isLast = stop.IsCancellationRequested;
            await sealer.SealAsync(connection, CancellationToken.None);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        while (!isLast);
    }
}
