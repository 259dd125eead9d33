using System.Diagnostics;
using System.Globalization;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>The verb <c>chaos</c>: faults at random under load, a verdict per kind, and how long recovery took.</summary>
internal static class ChaosCommand
{
    /// <summary>Its verb.</summary>
    public const string Verb = "chaos";

    /// <summary>What it can be asked for.</summary>
    public const string Usage = "chaos --faults <number> [--seed <number>] [--fault <part of its name>]";

    /// <summary>Runs it.</summary>
    /// <returns>0 when everything held, 1 when something did not, 2 when it was not understood.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, CancellationToken cancellationToken)
    {
        if (Read(args) is not var (faults, seed, kinds))
        {
            await output.WriteLineAsync($"Usage: {Usage}");
            return 2;
        }

        await output.WriteLineAsync($"{faults} faults with seed {seed}, 3 workers with a lease of {ChaosRun.Lease.TotalSeconds} s");
        await using var run = await ChaosRun.StartAsync(cancellationToken);
        var verdicts = new List<(string Fault, TimeSpan Recovery, string? Defect)>();
        foreach (var fault in Order(faults, kinds, new Random(seed)))
        {
            await output.WriteAsync($"{verdicts.Count + 1,4}  {fault.Name}: ");
            await output.FlushAsync(cancellationToken);
            var verdict = await TryAsync(run, fault, new Random(seed + verdicts.Count), cancellationToken);
            verdicts.Add((fault.Name, verdict.Recovery, verdict.Defect));
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{verdict.Defect ?? "holds"}, recovered in {verdict.Recovery.TotalMilliseconds:0} ms"));
        }

        await SummarizeAsync(verdicts, run.Acknowledged, output);
        return verdicts.Exists(verdict => verdict.Defect is not null) ? 1 : 0;
    }

    // Every kind once before any comes twice.
    private static IEnumerable<Fault> Order(int faults, IReadOnlyList<Fault> kinds, Random random)
    {
        var left = new List<Fault>();
        for (var i = 0; i < faults; i++)
        {
            if (left.Count == 0)
                left.AddRange(kinds);
            var next = left[random.Next(left.Count)];
            left.Remove(next);
            yield return next;
        }
    }

    private static async Task<(TimeSpan Recovery, string? Defect)> TryAsync(ChaosRun run, Fault fault, Random random, CancellationToken cancellationToken)
    {
        var damaged = Stopwatch.GetTimestamp();
        try
        {
            run.Recovery = null;
            var hasRecovered = await fault.InjectAsync(run, random, cancellationToken);
            damaged = Stopwatch.GetTimestamp();
            await run.UntilAsync("recovered", hasRecovered, cancellationToken);
            var recovery = run.Recovery ?? Stopwatch.GetElapsedTime(damaged);
            return (recovery, await run.CheckAsync(cancellationToken));
        }
        catch (Exception failure) when (failure is TimeoutException or InvalidOperationException)
        {
            return (Stopwatch.GetElapsedTime(damaged), failure.Message);
        }
    }

    private static async Task SummarizeAsync(List<(string Fault, TimeSpan Recovery, string? Defect)> verdicts, int acknowledged, TextWriter output)
    {
        await output.WriteLineAsync();
        foreach (var kind in verdicts.GroupBy(verdict => verdict.Fault))
        {
            var times = kind.Select(verdict => verdict.Recovery.TotalMilliseconds).Order().ToList();
            var broken = kind.Count(verdict => verdict.Defect is not null);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{kind.Key,-46} {(broken == 0 ? "holds" : $"BROKEN {broken} times"),-10} {times.Count,3} times, recovery {times[0]:0} / {times[times.Count / 2]:0} / {times[^1]:0} ms (least / median / most)"));
        }

        await output.WriteLineAsync($"{acknowledged} tasks acknowledged, {verdicts.Count(verdict => verdict.Defect is null)} of {verdicts.Count} faults survived");
    }

    private static (int Faults, int Seed, IReadOnlyList<Fault> Kinds)? Read(string[] args)
    {
        var (faults, seed, kinds) = (0, 1, Fault.All);
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 < args.Length && args[i] == "--fault")
            {
                kinds = [.. Fault.All.Where(fault => fault.Name.Contains(args[i + 1], StringComparison.Ordinal))];
                continue;
            }

            if (i + 1 == args.Length || !int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return null;
            if (args[i] == "--faults")
                faults = number;
            else if (args[i] == "--seed")
                seed = number;
            else
                return null;
        }

        return faults > 0 && kinds.Count > 0 ? (faults, seed, kinds) : null;
    }
}
