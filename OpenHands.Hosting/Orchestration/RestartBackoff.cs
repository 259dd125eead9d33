namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// How long to wait before a crashed process is started again: 0.25 s, doubling up to 30 s; from the start again once a
/// process has run for a minute.
/// </summary>
/// <param name="timeProvider">The clock.</param>
internal sealed class RestartBackoff(TimeProvider timeProvider)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.25);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);
    private TimeSpan _next = First;
    private long _started;

    /// <summary>The process was started.</summary>
    public void Started() => _started = timeProvider.GetTimestamp();

    /// <summary>The process ended: how long to wait.</summary>
    public TimeSpan Ended()
    {
        if (timeProvider.GetElapsedTime(_started) >= Settled)
        {
            _next = First;
        }

        var delay = _next;
        _next = delay * 2 < Longest ? delay * 2 : Longest;
        return delay;
    }
}
