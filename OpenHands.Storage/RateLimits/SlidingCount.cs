namespace OpenHands.Storage.RateLimits;

/// <summary>What was counted in two windows one after the other, seen as one that slides: the former counts as evenly filled.</summary>
/// <param name="Before">Count of the window before.</param>
/// <param name="Present">Count of the present window.</param>
/// <param name="Elapsed">How long the present window has been.</param>
/// <param name="Window">How long a window is.</param>
internal readonly record struct SlidingCount(double Before, double Present, TimeSpan Elapsed, TimeSpan Window)
{
    /// <summary>Fractions that should be whole.</summary>
    public const double Nearly = 1e-9;

    /// <summary>What counts at this moment.</summary>
    public double Used => (Before * (1 - (Elapsed / Window))) + Present;

    /// <summary>When more is left, if nothing else comes; zero when everything is.</summary>
    public TimeSpan Reset => Used > 0 ? UntilUsed(Math.Max(0, Math.Ceiling(Used - Nearly) - 1)) : TimeSpan.Zero;

    /// <summary>What is left under a limit.</summary>
    public int Remaining(int limit) => (int)Math.Max(0, Math.Floor(limit - Used + Nearly));

    /// <summary>When no more than this is used, if nothing else comes: whole milliseconds, rounded up.</summary>
    public TimeSpan UntilUsed(double room)
    {
        if (Used <= room + Nearly)
            return TimeSpan.Zero;
        var (window, elapsed) = (Window.TotalMilliseconds, Elapsed.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(Math.Ceiling(Present <= room
            ? (window * (1 - ((room - Present) / Before))) - elapsed
            : window - elapsed + (window * (1 - (Math.Max(0, room) / Present)))));
    }
}
