using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Storage.Locks;
using OpenHands.Storage.Postgres;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Locks;

/// <summary>
/// A process that holds a fenced lock and writes under it again and again, never asking whether it still holds it: to be stopped and let
/// go on. It says <c>held</c>, <c>written</c> after the first write, <c>lost</c> when its token fires and <c>refused</c> when a write is.
/// </summary>
internal static class LockHolder
{
    /// <summary>Its verb.</summary>
    public const string Verb = "lock-holder";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Runs until a write is refused and the lock is lost.</summary>
    /// <param name="args">PostgreSQL, Redis, id of the lock, its life in ms.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(args[1]);
        await using var services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(redis).BuildServiceProvider();
        using var locks = new RedisLocks(
            services, new FencingTokens(new DatabasePool(DatabaseConnection.WithBounds(args[0]))), TimeProvider.System, NullLogger<RedisLocks>.Instance);
        var lifetime = TimeSpan.FromMilliseconds(int.Parse(args[3], CultureInfo.InvariantCulture));
        await using var held = await locks.AcquireFencedAsync("process", args[2], TimeSpan.FromMinutes(1), lifetime);
        Console.WriteLine("held");
        var lost = new TaskCompletionSource();
        await using var told = held.Lost.Register(() =>
        {
            Console.WriteLine("lost");
            lost.SetResult();
        });
        for (var number = 0; await WriteAsync(args[0], held); number++)
        {
            if (number == 0)
                Console.WriteLine("written");
            await Task.Delay(Pause, TimeProvider.System);
        }

        Console.WriteLine("refused");
        await lost.Task.WaitAsync(TimeSpan.FromMinutes(1));
        return 0;
    }

    /// <summary>Writes a row with the number of the holder into the table <c>written_under_lock</c>, unless a later holder has passed.</summary>
    public static async Task<bool> WriteAsync(string postgres, FencedLock held)
    {
        await using var db = BenchmarkDatabase.Open(postgres);
        await using var transaction = await db.Database.BeginTransactionAsync();
        try
        {
            await held.PassAsync(db, CancellationToken.None);
        }
        catch (LockLostException)
        {
            return false;
        }

        await db.Database.ExecuteSqlAsync($"INSERT INTO written_under_lock (token) VALUES ({held.Token})");
        await transaction.CommitAsync();
        return true;
    }
}
