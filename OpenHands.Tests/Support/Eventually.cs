namespace OpenHands.Tests.Support;

/// <summary>Waits for a state that a server or another thread reaches by itself, where no signal can be had.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks again and again until the condition holds; fails with its text when it never does.</summary>
    public static async Task TrueAsync(string condition, Func<Task<bool>> holdsAsync)
    {
        var started = TimeProvider.System.GetTimestamp();
        using var look = new PeriodicTimer(Interval);
        while (!await holdsAsync())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"Not within {Patience.TotalSeconds} s: {condition}");
            await look.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The same for a condition that answers at once.</summary>
    public static Task TrueAsync(string condition, Func<bool> holds) => TrueAsync(condition, () => Task.FromResult(holds()));
}
