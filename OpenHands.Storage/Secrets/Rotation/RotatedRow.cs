namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>A row with ciphertexts that was read for its re-encryption.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Owner">Whose it is; null for what belongs to no tenant.</param>
/// <param name="Reencrypt">Its ciphertexts under the current key, once the owner's own key is known.</param>
internal sealed record RotatedRow(string Id, SecretOwner? Owner, Func<string> Reencrypt);
