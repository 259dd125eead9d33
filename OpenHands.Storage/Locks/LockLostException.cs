namespace OpenHands.Storage.Locks;

/// <summary>Somebody holds the lock who got it later; what the caller was about to write must not be committed.</summary>
public sealed class LockLostException(string name) : Exception($"Lock {name} was lost: somebody holds it who got it later. Begin again.");
