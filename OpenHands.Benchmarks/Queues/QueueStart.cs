using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenHands.Benchmarks.Measuring;

namespace OpenHands.Benchmarks.Queues;

/// <summary>How long a task that is enqueued waits until its handler starts, at a steady 200 a second.</summary>
internal static class QueueStart
{
    private const int Turns = 5;
    private const int PerSecond = 200;
    private const int Tasks = 2_000;
    private const int WarmUp = 600;

    /// <summary>Runs the benchmark: ours from the commit of the caller's own transaction, those of others from when their call returned.</summary>
    public static async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        QueuePeer[] peers = QueueClient.HasNode ? [QueuePeer.Ours, QueuePeer.Graphile, QueuePeer.BullMq] : [QueuePeer.Ours];
        var load = MachineLoad.Now();
        var table = new StringBuilder().Append(CultureInfo.InvariantCulture, $"From committed to started at {PerSecond} a second, ms, median (range of {Turns})\n");
        table.Append(CultureInfo.InvariantCulture, $"{"",-28}{"p50",-24}{"p99",-24}\n");
        foreach (var peer in peers)
        {
            await using var servers = await QueueServers.StartAsync(peer, cancellationToken);
            await using var client = await QueueClient.StartAsync(peer, servers, cancellationToken);
            await client.SendAsync($"pace {WarmUp} {PerSecond}", cancellationToken);
            var (p50, p99) = (new List<double>(), new List<double>());
            for (var turn = 0; turn < Turns; turn++)
            {
                var waits = JsonSerializer.Deserialize<double[]>(await client.SendAsync($"pace {Tasks} {PerSecond}", cancellationToken))!.Order().ToArray();
                p50.Add(waits[waits.Length / 2]);
                p99.Add(waits[waits.Length * 99 / 100]);
            }

            table.Append(CultureInfo.InvariantCulture, $"{peer.Title,-28}{Spread.Of(p50).ToString("F2"),-24}{Spread.Of(p99).ToString("F2"),-24}\n");
        }

        return $"{table}Load of the machine: {load} at the beginning, {MachineLoad.Now()} at the end\n"
            + (QueueClient.HasNode ? "" : "graphile-worker and BullMQ were left out: npm install --prefix OpenHands.Benchmarks/npm\n");
    }
}
