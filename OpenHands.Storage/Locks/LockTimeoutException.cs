namespace OpenHands.Storage.Locks;

/// <summary>A lock was held by others for as long as its caller was willing to wait.</summary>
public sealed class LockTimeoutException(string name, TimeSpan timeout)
    : Exception(FormattableString.Invariant($"Lock {name} was held by others for {timeout.TotalSeconds:0.###} s. Try again later."));
