using Microsoft.Extensions.Time.Testing;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Hosting.Orchestration;

public sealed class RestartBackoffTests
{
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Waits_double_up_to_half_a_minute()
    {
        var backoff = new RestartBackoff(_clock);
        Assert.Equal([0.25, 0.5, 1, 2, 4, 8, 16, 30, 30], Enumerable.Range(0, 9).Select(_ => CrashAfter(backoff, TimeSpan.Zero).TotalSeconds));
    }

    [Fact]
    public void A_process_that_ran_for_a_minute_is_started_again_soon()
    {
        var backoff = new RestartBackoff(_clock);
        CrashAfter(backoff, TimeSpan.Zero);
        CrashAfter(backoff, TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromSeconds(0.25), CrashAfter(backoff, TimeSpan.FromMinutes(1)));
        Assert.Equal(TimeSpan.FromSeconds(0.5), CrashAfter(backoff, TimeSpan.Zero));
    }

    [Fact]
    public void A_process_that_ran_for_less_than_a_minute_is_not_forgiven()
    {
        var backoff = new RestartBackoff(_clock);
        CrashAfter(backoff, TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromSeconds(0.5), CrashAfter(backoff, TimeSpan.FromSeconds(59)));
    }

    private TimeSpan CrashAfter(RestartBackoff backoff, TimeSpan time)
    {
        backoff.Started();
        _clock.Advance(time);
        return backoff.Ended();
    }
}
