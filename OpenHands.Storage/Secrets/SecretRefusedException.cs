namespace OpenHands.Storage.Secrets;

/// <summary>A stored secret was not written by us for the place where it was found. The message never says more.</summary>
public sealed class SecretRefusedException() : Exception("A stored secret was changed or does not belong where it was found.");
