using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Audit;

/// <summary>Something to be audited that changes no row: a read, a login, an export.</summary>
/// <param name="Action">What is done, such as <c>secret.read</c>.</param>
/// <param name="Target">To what; never a value.</param>
/// <param name="Detail">More about it; empty for nothing.</param>
/// <param name="OrganizationId">Whose it is, when it is an organization's.</param>
/// <param name="UserId">Whose it is, when it is a user's.</param>
public sealed record AuditNote(string Action, string Target, string Detail, string? OrganizationId, string? UserId)
{
    /// <summary>Reading a secret.</summary>
    public const string SecretRead = "secret.read";

    /// <summary>Reading a token for a git provider.</summary>
    public const string ProviderTokenRead = "provider_token.read";

    /// <summary>Reading the key for the language model.</summary>
    public const string LlmKeyRead = "llm_api_key.read";

    /// <summary>A login of a browser.</summary>
    public const string Login = "login";

    /// <summary>Exporting the audit log.</summary>
    public const string AuditExported = "audit.exported";

    /// <summary>An operator's wish for everything to come under another key of the ring.</summary>
    public const string RotationRequested = "keys.rotation_requested";

    /// <summary>That everything came under another key of the ring.</summary>
    public const string Rotated = "keys.rotated";

    /// <summary>The event that this becomes.</summary>
    internal AuditEvent By(string? actor, AuditOrigin? origin, TimeProvider time) => new()
    {
        Id = EntityId.New(time),
        OrganizationId = OrganizationId,
        UserId = UserId,
        Actor = actor ?? "openhands",
        Action = Action,
        Target = Target,
        Detail = Detail,
        Address = origin?.Address,
        ApiKeyId = origin?.ApiKeyId,
        RequestId = origin?.RequestId,
        OccurredAt = time.GetUtcNow(),
    };

    /// <summary>The event that this becomes when the tenant does it.</summary>
    internal AuditEvent By(TenantContext? tenant, TimeProvider time) => By(tenant?.UserId, tenant?.Origin, time);
}
