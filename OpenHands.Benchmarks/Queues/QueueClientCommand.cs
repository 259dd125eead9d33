using System.Globalization;
using System.Text.Json;

namespace OpenHands.Benchmarks.Queues;

/// <summary>Does tasks with a queue of .NET; OpenHands.Benchmarks/npm/queues.mjs understands the same lines.</summary>
internal static class QueueClientCommand
{
    /// <summary>Its verb.</summary>
    public const string Verb = "queue-client";

    /// <summary>Enqueued and handled at a time.</summary>
    public const int Concurrency = 16;

    /// <summary>Name of the queue.</summary>
    public const string Queue = "benchmark";

    /// <summary>Reads commands until its input ends.</summary>
    public static async Task RunAsync(string peer, CancellationToken cancellationToken)
    {
        var settings = JsonSerializer.Deserialize<QueueSettings>(Console.In.ReadLine()!)!;
        await using IClientQueue queue = peer switch
        {
            "hangfire-postgres" => new HangfireQueue(HangfireQueue.InPostgres(settings.Administrator!)),
            "hangfire-redis" => new HangfireQueue(HangfireQueue.InRedis(settings.Redis!)),
            _ => new OurQueue(settings),
        };
        await queue.StartAsync(cancellationToken);
        Console.WriteLine("ready");
        while (await Console.In.ReadLineAsync(cancellationToken) is { } line)
        {
            int[] numbers = [.. line.Split(' ').Skip(1).Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
            Console.WriteLine(line.Split(' ')[0] switch
            {
                "add" => Done(await AddAsync(queue, numbers[0], cancellationToken)),
                "drain" => Done(await DrainAsync(queue, numbers[0], cancellationToken)),
                _ => JsonSerializer.Serialize(await PacedTasks.RunAsync((OurQueue)queue, numbers[0], numbers[1], cancellationToken)),
            });
        }
    }

    private static string Done(TimeSpan elapsed) => string.Create(CultureInfo.InvariantCulture, $"done {elapsed.TotalMicroseconds}");

    private static async Task<TimeSpan> AddAsync(IClientQueue queue, int tasks, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(producer => Task.Run(
            async () =>
            {
                for (var task = producer; task < tasks; task += Concurrency)
                    await queue.AddAsync(task, cancellationToken);
            }, cancellationToken)));
        return TimeProvider.System.GetElapsedTime(started);
    }

    private static async Task<TimeSpan> DrainAsync(IClientQueue queue, int tasks, CancellationToken cancellationToken)
    {
        var (first, left) = (0L, tasks);
        var done = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var working = await queue.WorkAsync(
            _ => Interlocked.CompareExchange(ref first, TimeProvider.System.GetTimestamp(), 0),
            () =>
            {
                if (Interlocked.Decrement(ref left) == 0)
                    done.TrySetResult(TimeProvider.System.GetTimestamp());
            },
            cancellationToken);
        var last = await done.Task.WaitAsync(cancellationToken);
        return TimeProvider.System.GetElapsedTime(first, last);
    }
}
