namespace OpenHands.Storage.Audit;

/// <summary>From where somebody acts.</summary>
/// <param name="Address">The caller's address; null where none is known.</param>
/// <param name="ApiKeyId">Id of the API key; null for none.</param>
/// <param name="RequestId">Id of the request; null for none.</param>
public sealed record AuditOrigin(string? Address, string? ApiKeyId, string? RequestId)
{
    /// <summary>As the setting <c>app.origin</c> of a transaction, which the triggers read.</summary>
    internal string ToSetting() => $"{Address}|{ApiKeyId}|{RequestId}";
}
