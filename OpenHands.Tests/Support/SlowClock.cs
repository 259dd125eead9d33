namespace OpenHands.Tests.Support;

/// <summary>
/// A clock on which less time passes than on others: whoever measures with it waits for longer, so that a busy machine does not look like
/// one that is gone. Timers and the time of day are those of the system.
/// </summary>
internal sealed class SlowClock(int times) : TimeProvider
{
    public override long GetTimestamp() => System.GetTimestamp() / times;
}
