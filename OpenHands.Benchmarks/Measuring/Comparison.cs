using System.Globalization;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>What one run measured of two ways to do the same: these machines are noisy, so the ratio is the result.</summary>
/// <param name="Ours">What ours does.</param>
/// <param name="Other">What the peer or lower bound does.</param>
/// <param name="OursMicroseconds">Median time of one operation of ours.</param>
/// <param name="OtherMicroseconds">Median time of one operation of the other.</param>
internal sealed record Comparison(string Ours, string Other, double OursMicroseconds, double OtherMicroseconds)
{
    /// <summary>Measures both in turns, so that what else the machine does falls on both alike.</summary>
    /// <param name="ours">Name and operation of ours.</param>
    /// <param name="other">Name and operation of the other.</param>
    /// <param name="rounds">How many turns each has; the first tenth warms up and does not count.</param>
    /// <param name="operations">Operations in one turn.</param>
    /// <param name="cancellationToken">Ends the measurement.</param>
    public static async Task<Comparison> MeasureAsync(
        (string Name, Func<Task> OperateAsync) ours, (string Name, Func<Task> OperateAsync) other, int rounds, int operations, CancellationToken cancellationToken)
    {
        var (oursTimes, otherTimes) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (first, second) = round % 2 == 0 ? (oursTimes, otherTimes) : (otherTimes, oursTimes);
            first.Add(await TimeAsync(round % 2 == 0 ? ours.OperateAsync : other.OperateAsync, operations));
            second.Add(await TimeAsync(round % 2 == 0 ? other.OperateAsync : ours.OperateAsync, operations));
        }

        return new Comparison(ours.Name, other.Name, Median(oursTimes.Skip(rounds / 10)), Median(otherTimes.Skip(rounds / 10)));
    }

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        {Ours}: {OursMicroseconds:F1} µs
        {Other}: {OtherMicroseconds:F1} µs
        Difference: {OursMicroseconds - OtherMicroseconds:F1} µs, ratio {OursMicroseconds / OtherMicroseconds:F3}
        """);

    private static async Task<double> TimeAsync(Func<Task> operateAsync, int operations)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var operation = 0; operation < operations; operation++)
            await operateAsync();
        return TimeProvider.System.GetElapsedTime(started).TotalMicroseconds / operations;
    }

    private static double Median(IEnumerable<double> times)
    {
        var sorted = times.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
