using System.Globalization;
using System.Text;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Queues;

/// <summary>What a task costs from enqueuing until it is acknowledged, with ours and with the queues of others, in one run.</summary>
/// <remarks>
/// Each queue has servers and a client of its own, so that their processor time is its alone. In a turn all tasks are enqueued, one call
/// each, and when they are all there, handled and acknowledged each by itself. The first turn warms up and does not count.
/// </remarks>
internal static class QueueTasks
{
    private const int Turns = 5;
    private const int Tasks = 4_000;

    /// <summary>Runs the benchmark. Those of npm are left out while they are not installed.</summary>
    public static Task<string> RunAsync(CancellationToken cancellationToken) => RunAsync(All, Tasks, cancellationToken);

    /// <summary>Runs it for some queues alone, by their names.</summary>
    public static Task<string> RunAsync(IReadOnlyList<string> names, CancellationToken cancellationToken) =>
        RunAsync([.. All.Where(peer => names.Contains(peer.Name))], Tasks, cancellationToken);

    private static async Task<string> RunAsync(IReadOnlyList<QueuePeer> all, int tasks, CancellationToken cancellationToken)
    {
        var peers = all.Where(peer => !peer.IsOfNode || QueueClient.HasNode).ToList();
        var (samples, load) = (peers.ToDictionary(peer => peer, _ => new List<QueueSample>()), MachineLoad.Now());
        var started = new List<(QueuePeer Peer, QueueServers Servers, QueueClient Client)>();
        try
        {
            foreach (var peer in peers)
            {
                var servers = await QueueServers.StartAsync(peer, cancellationToken);
                started.Add((peer, servers, await QueueClient.StartAsync(peer, servers, cancellationToken)));
            }

            for (var turn = 0; turn <= Turns; turn++)
            {
                foreach (var (peer, servers, client) in started)
                {
                    var sample = await MeasureAsync(client, servers, tasks, cancellationToken);
                    if (turn > 0)
                        samples[peer].Add(sample);
                    Console.Error.WriteLine($"Turn {turn} of {Turns}, {peer.Title}: {sample.Cpu:F0} µs of CPU a task, {sample.Throughput:F0} tasks a second");
                }
            }
        }
        finally
        {
            foreach (var (_, servers, client) in started)
            {
                await client.DisposeAsync();
                await servers.DisposeAsync();
            }
        }

        return $"{Table(samples, tasks)}{Ratios(samples)}Load of the machine: {load} at the beginning, {MachineLoad.Now()} at the end\n"
            + (QueueClient.HasNode ? "" : "pg-boss, graphile-worker and BullMQ were left out: npm install --prefix OpenHands.Benchmarks/npm\n");
    }

    private static IReadOnlyList<QueuePeer> All { get; } =
    [
        QueuePeer.Ours, QueuePeer.PgBoss, QueuePeer.PgBossBatch, QueuePeer.Graphile, QueuePeer.GraphileBatch, QueuePeer.BullMq,
        QueuePeer.HangfireRedis, QueuePeer.HangfirePostgres,
    ];

    private static async Task<QueueSample> MeasureAsync(QueueClient client, QueueServers servers, int tasks, CancellationToken cancellationToken)
    {
        var (clientCpu, postgres, redis) = (client.Cpu(), servers.PostgresCpu(), await servers.RedisCpuAsync());
        var adding = await client.AddAsync(tasks, cancellationToken);
        var (clientHalf, postgresHalf) = (client.Cpu(), servers.PostgresCpu());
        var draining = await client.DrainAsync(tasks, cancellationToken);
        return new QueueSample(
            PerTask(client.Cpu() - clientCpu), PerTask(servers.PostgresCpu() - postgres), PerTask(await servers.RedisCpuAsync() - redis),
            PerTask(clientHalf - clientCpu + postgresHalf - postgres), tasks / adding.TotalSeconds, tasks / draining.TotalSeconds, tasks / (adding + draining).TotalSeconds);

        double PerTask(TimeSpan time) => time.TotalMicroseconds / tasks;
    }

    private static string Table(Dictionary<QueuePeer, List<QueueSample>> samples, int tasks)
    {
        var table = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{tasks} tasks, CPU in µs a task, median (range of {Turns})\n");
        table.Append(CultureInfo.InvariantCulture, $"{"",-28}{"client",-24}{"PostgreSQL",-24}{"Redis",-18}{"CPU in all",-24}{"of it enqueuing",-24}{"enqueued/s",-22}{"handled/s",-22}{"both/s",-22}\n");
        foreach (var (peer, of) in samples)
        {
            table.Append(CultureInfo.InvariantCulture,
                $"{peer.Title,-28}{Cpu(s => s.Client),-24}{Cpu(s => s.Postgres),-24}{Cpu(s => s.Redis),-18}{Cpu(s => s.Cpu),-24}{Cpu(s => s.Enqueuing),-24}{Rate(s => s.Enqueued),-22}{Rate(s => s.Handled),-22}{Rate(s => s.Throughput),-22}\n");

            string Cpu(Func<QueueSample, double> value) => Spread.Of(of.Select(value)).ToString("F0");
            string Rate(Func<QueueSample, double> value) => Spread.Of(of.Select(value)).ToString("F0");
        }

        return table.ToString();
    }

    private static string Ratios(Dictionary<QueuePeer, List<QueueSample>> samples)
    {
        if (!samples.TryGetValue(QueuePeer.Ours, out var ours))
            return "";
        var ratios = new StringBuilder();
        foreach (var (peer, theirs) in samples.Where(each => each.Key != QueuePeer.Ours))
        {
            ratios.Append(CultureInfo.InvariantCulture,
                $"OpenHands : {peer.Title}: CPU 1/{Median(theirs, s => s.Cpu) / Median(ours, s => s.Cpu):F1}, throughput {Median(ours, s => s.Throughput) / Median(theirs, s => s.Throughput):F1} times, handled {Median(ours, s => s.Handled) / Median(theirs, s => s.Handled):F1} times\n");
        }

        return ratios.ToString();

        static double Median(List<QueueSample> of, Func<QueueSample, double> value) => Spread.Of(of.Select(value)).Median;
    }
}

/// <summary>What one turn measured of one queue.</summary>
/// <param name="Client">Processor time of the client for a task, µs.</param>
/// <param name="Postgres">That of PostgreSQL.</param>
/// <param name="Redis">That of Redis.</param>
/// <param name="Enqueuing">How much of client and PostgreSQL together went into enqueuing.</param>
/// <param name="Enqueued">Tasks enqueued in a second.</param>
/// <param name="Handled">Tasks handled and acknowledged in a second.</param>
/// <param name="Throughput">Tasks in a second of both.</param>
internal sealed record QueueSample(double Client, double Postgres, double Redis, double Enqueuing, double Enqueued, double Handled, double Throughput)
{
    /// <summary>All processor time for a task, µs.</summary>
    public double Cpu => Client + Postgres + Redis;
}
