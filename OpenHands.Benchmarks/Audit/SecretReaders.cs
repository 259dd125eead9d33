using System.Diagnostics;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Caching;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Audit;

/// <summary>Many readers at a time of one cached secret, in a process of their own, so that they can be given a processor of their own.</summary>
internal sealed class SecretReaders : IAsyncDisposable
{
    /// <summary>The verb of the process.</summary>
    public const string Verb = "secret-readers";

    /// <summary>How many read at a time.</summary>
    public const int Readers = 256;

    /// <summary>How many reads one turn of all are.</summary>
    public const int ReadsOfTurn = Readers * ReadsOfOne;

    private const int ReadsOfOne = 1500; // so that a turn lasts for many rounds of the sealer, who has only the last to do when it ends
    private const string Name = "TOKEN";

    private readonly Process _process;

    private SecretReaders(Process process) => _process = process;

    /// <summary>The ring that the secret is encrypted with.</summary>
    public static KeyRing Ring { get; } = new("the ring of the benchmark, with 32 characters");

    /// <summary>Starts this very program with the verb.</summary>
    /// <param name="database">Where the secret is.</param>
    /// <param name="redis">Where it is kept.</param>
    /// <param name="processor">Number of the only processor that the process may use; null for any.</param>
    public static async Task<SecretReaders> StartAsync(BenchmarkDatabase database, BenchmarkRedis redis, int? processor)
    {
        string[] own = [Environment.ProcessPath!, Verb];
        string[] command = processor is { } number ? ["taskset", "--cpu-list", $"{number}", .. own] : own;
        var readers = new SecretReaders(Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true, // its end tells the process that nobody needs it any more, however this one ends
            RedirectStandardOutput = true,
            // A machine that is measured is busy.
            Environment = { ["POSTGRES"] = database.App + ";Timeout=60;Command Timeout=60", ["REDIS"] = redis.ConnectionString },
        })!);
        await readers.AnswerAsync(CancellationToken.None);
        return readers;
    }

    /// <summary>Processor time of the process until now.</summary>
    public TimeSpan Cpu()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <summary>Lets all read once.</summary>
    /// <param name="kind"><c>audited</c> or <c>plain</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task ReadAllAsync(string kind, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(kind.AsMemory(), cancellationToken);
        await AnswerAsync(cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>The process: reads for every line of its input, and says <c>done</c> to each.</summary>
    public static async Task<int> RunAsync()
    {
        var (postgres, redis) = (Environment.GetEnvironmentVariable("POSTGRES")!, Environment.GetEnvironmentVariable("REDIS")!); // from above
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        await using var services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(connection).BuildServiceProvider();
        var cache = new SecretCache(new LeaseCache(new RedisGate(services, TimeProvider.System, NullLogger<RedisGate>.Instance), TimeProvider.System));
        var cipher = new SecretCipher(Ring, new TenantKeys(writes: true, TimeProvider.System));
        var readers = Enumerable.Range(0, Readers).Select(_ => Open(postgres)).ToList();
        var audit = new AuditLog(new DatabasePool(readers[0].Database.GetConnectionString()!), TimeProvider.System); // set above, with the bounds of the product
        var stores = readers.ConvertAll(db => new SecretStore(db, cipher, cache, audit, TimeProvider.System));
        await stores[0].AddAsync(SecretOwner.User("u1"), Name, "a value as long as a token is", null, CancellationToken.None);
        Console.WriteLine("done");
        while (await Console.In.ReadLineAsync() is { } kind)
        {
            await Contestant.Parallel(
                kind, ReadsOfTurn, reader => kind == "audited" ? stores[reader].FindValueAsync("u1", null, Name, CancellationToken.None) : ReadAsync(readers[reader], cipher, cache), Readers)
                .RunAsync(CancellationToken.None);
            Console.WriteLine("done");
        }

        return 0;
    }

    // The steps of SecretStore.FindValueAsync but one.
    private static async Task ReadAsync(OpenHandsDb db, SecretCipher cipher, SecretCache cache)
    {
        var rows = db.Secrets.Where(secret => secret.UserId == "u1" && secret.OrganizationId == null && secret.Kind == SecretKind.Custom && secret.Key == Name);
        var kept = await cache.FindAsync(
            SecretOwner.User("u1"), Name,
            token => rows.Select(secret => new KeptSecret(secret.Id, secret.UserId, secret.OrganizationId, secret.Key, secret.Version, secret.ValueEncrypted, secret.UpdatedAt)).SingleOrDefaultAsync(token),
            token => rows.Select(secret => (DateTimeOffset?)secret.UpdatedAt).SingleOrDefaultAsync(token), CancellationToken.None);
        await cipher.PrepareAsync(db, SecretOwner.User("u1"), writes: false, CancellationToken.None);
        _ = Encoding.UTF8.GetString(cipher.Open(kept!));
    }

    private static OpenHandsDb Open(string postgres)
    {
        var db = BenchmarkDatabase.Open(postgres);
        db.Tenant = new TenantContext { Origin = new AuditOrigin("192.0.2.1", null, "request") };
        db.Tenant.Enter("u1");
        return db;
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        if (await _process.StandardOutput.ReadLineAsync(cancellationToken) is null)
            throw new InvalidOperationException("The process of the readers has ended.");
    }
}
