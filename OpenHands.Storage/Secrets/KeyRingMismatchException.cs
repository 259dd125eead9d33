namespace OpenHands.Storage.Secrets;

/// <summary>A stored secret was encrypted under a key that the key ring does not hold. Nothing is lost: the right ring reads it again.</summary>
public sealed class KeyRingMismatchException : Exception
{
    /// <summary>Says which key is missing.</summary>
    /// <param name="keyId">Id of the missing key; no secret.</param>
    public KeyRingMismatchException(string keyId)
        : base($"The key ring does not fit: stored secrets need its key {keyId}. Start with the key ring that encrypted them (connection string secrets).")
    {
    }
}
