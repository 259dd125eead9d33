namespace OpenHands.Dashboard.Components;

/// <summary>
/// When a page is drawn anew, asked once a second: whenever something is new, but while more is new than anybody reads, only every fifth time. Drawing
/// takes the processor from what is watched, most of all where the browser runs on the same machine.
/// </summary>
/// <param name="shown">What the page shows so far.</param>
internal sealed class LivePace(long shown)
{
    /// <summary>More than this in a second is more than anybody reads.</summary>
    public const int Flood = 300;

    private const int Rests = 4;

    private long _shown = shown;
    private long _before = shown;
    private int _rests;

    /// <summary>True when the page is to be drawn.</summary>
    /// <param name="version">What there is to show; grows by how much is new.</param>
    public bool IsDue(long version)
    {
        var isFlood = version - _before > Flood;
        _before = version;
        if (isFlood && _rests > 0)
        {
            _rests--;
            return false;
        }

        _rests = isFlood ? Rests : 0;
        var isNew = version != _shown;
        _shown = version;
        return isNew;
    }
}
