using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class RetryDelayTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(5, 16)]
    [InlineData(9, 256)]
    [InlineData(10, 300)]
    [InlineData(100, 300)]
    [InlineData(5000, 300)]
    public void The_bound_doubles_up_to_its_ceiling(int failedAttempts, double seconds) =>
        Assert.Equal(seconds, RetryDelay.Bound(First, Longest, failedAttempts).TotalSeconds);

    [Fact]
    public void Delays_are_spread_over_the_whole_range()
    {
        var delays = Enumerable.Range(0, 1000).Select(_ => RetryDelay.Next(First, Longest, 3) / TimeSpan.FromSeconds(4)).ToList();

        Assert.All(delays, delay => Assert.InRange(delay, 0, 1));
        Assert.InRange(delays.Average(), 0.4, 0.6);
        Assert.InRange(delays.Min(), 0, 0.1);
        Assert.InRange(delays.Max(), 0.9, 1);
    }
}
