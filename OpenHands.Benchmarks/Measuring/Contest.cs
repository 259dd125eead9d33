using System.Globalization;
using System.Text;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>
/// Measures several ways to do the same in five turns each, one after the other, so that what else the machine does falls on all
/// alike. What counts is processor time: on a loaded machine the time that passes says more of the load.
/// </summary>
/// <param name="title">What is measured.</param>
/// <param name="redis">The server whose processor time is told apart; null where there is none.</param>
/// <param name="database">Another one; null where there is none.</param>
/// <param name="warmUps">Turns of each that do not count. Whoever runs much code needs more of them until all of it is compiled for good.</param>
/// <param name="slices">
/// Into how many slices a turn is cut, which the contestants take by turns. A processor that changes its speed, as a rented one does,
/// then does so for all alike; each is given this many times what it does in a slice.
/// </param>
internal sealed class Contest(string title, BenchmarkRedis? redis, BenchmarkDatabase? database = null, int warmUps = 1, int slices = 1)
{
    private const int Turns = 5;

    private readonly List<(Contestant Contestant, List<Sample> Samples)> _all = [];

    /// <summary>Adds one.</summary>
    public Contest Add(Contestant contestant)
    {
        _all.Add((contestant, []));
        return this;
    }

    /// <summary>Measures all.</summary>
    /// <returns>The table of the medians with their ranges.</returns>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        for (var turn = -warmUps; turn < Turns; turn++)
        {
            var turns = await TurnAsync(cancellationToken);
            if (turn >= 0)
                Keep(turns);
        }

        return Table();
    }

    /// <summary>Does one more turn of each, which nobody measures.</summary>
    /// <returns>How many operations that were.</returns>
    public async Task<int> RepeatAsync(CancellationToken cancellationToken)
    {
        foreach (var (contestant, _) in _all)
            await contestant.RunAsync(cancellationToken);
        return _all.Sum(each => each.Contestant.Operations);
    }

    private void Keep(IReadOnlyList<Sample> turns)
    {
        foreach (var ((_, samples), sample) in _all.Zip(turns))
            samples.Add(sample);
    }

    private async Task<IReadOnlyList<Sample>> TurnAsync(CancellationToken cancellationToken)
    {
        var sums = new Sample[_all.Count];
        for (var slice = 0; slice < slices; slice++)
        {
            for (var i = 0; i < sums.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                sums[i] += await MeasureAsync(_all[i].Contestant, cancellationToken);
            }
        }

        return [.. sums.Select(sum => sum / slices)];
    }

    private async Task<Sample> MeasureAsync(Contestant contestant, CancellationToken cancellationToken)
    {
        await contestant.PrepareAsync(cancellationToken);
        var (cpu, server, postgres, started) = (contestant.Cpu(), await RedisCpuAsync(), PostgresCpu(), TimeProvider.System.GetTimestamp());
        await contestant.RunAsync(cancellationToken);
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        return new Sample(
            PerOperation(contestant.Cpu() - cpu), PerOperation(await RedisCpuAsync() - server), PerOperation(PostgresCpu() - postgres), PerOperation(elapsed));

        async Task<TimeSpan> RedisCpuAsync() => redis is null ? TimeSpan.Zero : await redis.CpuAsync();

        TimeSpan PostgresCpu() => database?.Cpu() ?? TimeSpan.Zero;

        double PerOperation(TimeSpan time) => time.TotalMicroseconds / contestant.Operations;
    }

    private string Table()
    {
        var table = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{title}, µs for each operation: median (range of {Turns})\n");
        table.Append(CultureInfo.InvariantCulture, $"{"",-58}{"client CPU",-24}{(redis is null ? "" : $"{"Redis CPU",-24}")}{(database is null ? "" : $"{"PostgreSQL CPU",-24}{"all CPU",-24}")}{"time",-24}\n");
        foreach (var (contestant, samples) in _all)
        {
            table.Append(CultureInfo.InvariantCulture,
                $"{contestant.Name,-58}{Median(samples, s => s.Client),-24}{(redis is null ? "" : $"{Median(samples, s => s.Server),-24}")}{Postgres(samples)}{Median(samples, s => s.Time),-24}\n");
        }

        return table.ToString();
    }

    private string Postgres(List<Sample> samples) =>
        database is null ? "" : $"{Median(samples, s => s.Postgres),-24}{Median(samples, s => s.Client + s.Server + s.Postgres),-24}";

    private static string Median(List<Sample> samples, Func<Sample, double> of) => Spread.Of(samples.Select(of)).ToString();

    private readonly record struct Sample(double Client, double Server, double Postgres, double Time)
    {
        public static Sample operator +(Sample one, Sample other) =>
            new(one.Client + other.Client, one.Server + other.Server, one.Postgres + other.Postgres, one.Time + other.Time);

        public static Sample operator /(Sample sum, int count) => new(sum.Client / count, sum.Server / count, sum.Postgres / count, sum.Time / count);
    }
}

/// <summary>One way to do it.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Operations">Operations in one turn.</param>
/// <param name="RunAsync">Does one turn.</param>
internal sealed record Contestant(string Name, int Operations, Func<CancellationToken, Task> RunAsync)
{
    /// <summary>Processor time until now of the process that is measured; by default this one.</summary>
    public Func<TimeSpan> Cpu { get; init; } = static () => Environment.CpuUsage.TotalTime;

    /// <summary>What comes before a turn and is not measured.</summary>
    public Func<CancellationToken, Task> PrepareAsync { get; init; } = static _ => Task.CompletedTask;

    /// <summary>One that does an operation again and again in parallel loops, each with its own number.</summary>
    public static Contestant Parallel(string name, int operations, Func<int, Task> operateAsync, int workers = 64) => new(
        name, operations / workers * workers,
        cancellationToken => Task.WhenAll(Enumerable.Range(0, workers).Select(worker => Task.Run(
            async () =>
            {
                for (var operation = 0; operation < operations / workers; operation++)
                    await operateAsync(worker);
            }, cancellationToken))));
}
