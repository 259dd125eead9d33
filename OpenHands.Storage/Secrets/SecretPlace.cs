namespace OpenHands.Storage.Secrets;

/// <summary>
/// Where a secret belongs. It is written into the protected header and compared when the secret is read, so that a ciphertext
/// moved to another row, tenant, field or version is refused.
/// </summary>
/// <param name="Tenant">Whose it is, and whose key encrypts it: <c>user:</c> or <c>organization:</c> and the id.</param>
/// <param name="Scope">The kind of place, such as <c>settings</c>.</param>
/// <param name="SecretId">Id of the row.</param>
/// <param name="Key">Name of the secret within the row.</param>
/// <param name="Version">Version of the row or secret that this ciphertext was written for.</param>
public sealed record SecretPlace(string Tenant, string Scope, string SecretId, string Key, long Version)
{
    /// <summary>The tenant of what belongs to the platform itself.</summary>
    internal const string Platform = "platform";
}
