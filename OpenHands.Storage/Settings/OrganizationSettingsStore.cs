using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Settings;

/// <summary>
/// Keeps what an organization gives its members for the language model. Members read all but the key; admins change. Works for
/// the organization that the tenant of its scope was entered with.
/// </summary>
public sealed class OrganizationSettingsStore(OpenHandsDb db, SecretCipher cipher, TenantContext tenant, TimeProvider time)
{
    private string OrganizationId => tenant.OrganizationId ?? throw new InvalidOperationException("No organization was entered.");

    /// <summary>What is given; null when the user is no member.</summary>
    public async Task<GivenSettings?> FindAsync(CancellationToken cancellationToken)
    {
        if (await RoleAsync(cancellationToken) is null)
            return null;
        var row = await db.OrganizationSettings.AsNoTracking().SingleOrDefaultAsync(settings => settings.OrganizationId == OrganizationId, cancellationToken);
        return GivenSettings.From(row);
    }

    /// <summary>Merges a patch (RFC 7396) of <c>llm_model</c>, <c>llm_base_url</c> and <c>llm_api_key</c>; null takes one back.</summary>
    /// <param name="patch">The posted members.</param>
    /// <param name="version">The version that the caller saw, 0 for none yet; null for any.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<(OrganizationOutcome Outcome, FieldProblem? Problem)> PatchAsync(JsonObject patch, long? version, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(patch);
        if (Problem(patch) is { } wrong)
            return (OrganizationOutcome.Done, wrong);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var role = await RoleAsync(cancellationToken);
        if (role != OrganizationRole.Admin)
            return (role is null ? OrganizationOutcome.NotFound : OrganizationOutcome.NotAdmin, null);

        var row = await LockAsync(cancellationToken);
        if (version is not null && row.Version != version)
            return (OrganizationOutcome.Changed, null);

        var problems = new List<FieldProblem>();
        var changes = SettingsChanges.Read(patch, problems);
        if (problems.Count > 0)
            return (OrganizationOutcome.Done, problems[0]);

        await cipher.PrepareAsync(db, SecretOwner.Organization(OrganizationId), writes: true, cancellationToken);
        using var secrets = SettingsSecrets.Open(cipher, row);
        var document = JsonNode.Parse(row.Document)!.AsObject(); // the table demands an object
        foreach (var field in SettingsFields.Inheritable.Where(field => patch.ContainsKey(field.Name)))
        {
            document.Remove(field.Name);
            if (patch[field.Name] is not null && changes.Fields.GetValueOrDefault(field) is { } value)
                document[field.Name] = value;
        }

        if (patch.TryGetPropertyValue(SettingsFields.LlmApiKey, out var key) && (key is null || changes.Keys.ContainsKey(SettingsFields.LlmApiKey)))
            secrets.SetText(SettingsFields.LlmApiKey, key is null ? null : changes.Keys[SettingsFields.LlmApiKey]);
        // Only so it is known to which provider the key may go: members choose models, too.
        if (secrets.Has(SettingsFields.LlmApiKey) && document[SettingsFields.LlmModel] is null)
            return (OrganizationOutcome.Done, new FieldProblem(SettingsFields.LlmModel, "given together with llm_api_key: the model that the key is for"));
        await WriteAsync(row, document, secrets, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (OrganizationOutcome.Done, null);
    }

    // The platform's own routes take nothing that they do not know.
    private static FieldProblem? Problem(JsonObject patch) =>
        patch.Select(member => member.Key)
            .FirstOrDefault(name => name != SettingsFields.LlmApiKey && SettingsFields.Inheritable.All(field => field.Name != name)) is { } unknown
            ? new FieldProblem("body", $"an object with no other members than llm_model, llm_base_url and llm_api_key; it has {(unknown.Length > 40 ? "others" : $"'{unknown}'")}")
            : null;

    private async Task<OrganizationSettings> LockAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO organization_settings (organization_id, document, secrets, version, created_at, updated_at)
            VALUES ({OrganizationId}, jsonb_build_object(), jsonb_build_object(), 0, {now}, {now}) ON CONFLICT (organization_id) DO NOTHING
            """, cancellationToken);
        return (await db.OrganizationSettings
            .FromSql($"SELECT organization_id, document, secrets, key_id, version, created_at, updated_at FROM organization_settings WHERE organization_id = {OrganizationId} FOR UPDATE")
            .AsNoTracking().ToListAsync(cancellationToken)).Single();
    }

    private Task<int> WriteAsync(OrganizationSettings row, JsonObject document, SettingsSecrets secrets, CancellationToken cancellationToken)
    {
        var (version, now, json) = (row.Version + 1, time.GetUtcNow(), document.ToJsonString());
        var sealedSecrets = secrets.SealForOrganization(cipher, row.OrganizationId, version);
        var keyId = secrets.Has(SettingsFields.LlmApiKey) ? cipher.CurrentKeyId : null;
        return db.OrganizationSettings.Where(settings => settings.OrganizationId == row.OrganizationId).ExecuteUpdateAsync(
            set => set
                .SetProperty(settings => settings.Document, json)
                .SetProperty(settings => settings.Secrets, sealedSecrets)
                .SetProperty(settings => settings.KeyId, keyId)
                .SetProperty(settings => settings.Version, version)
                .SetProperty(settings => settings.UpdatedAt, now),
            cancellationToken);
    }

    private Task<string?> RoleAsync(CancellationToken cancellationToken) => db.OrganizationMemberships
        .Where(membership => membership.OrganizationId == OrganizationId && membership.UserId == tenant.UserId)
        .Select(membership => membership.Role)
        .SingleOrDefaultAsync(cancellationToken);
}
