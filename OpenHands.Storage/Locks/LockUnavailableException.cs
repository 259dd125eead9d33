namespace OpenHands.Storage.Locks;

/// <summary>Redis could not be asked for a lock: nobody knows whether it is free, so nobody was given it.</summary>
public sealed class LockUnavailableException(string name, Exception? cause)
    : Exception($"Lock {name}: Redis does not answer. Try again when it does.", cause);
