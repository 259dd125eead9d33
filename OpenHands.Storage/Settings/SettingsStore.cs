using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Settings;

/// <summary>
/// Keeps each user's settings: the architecture's PostgresSettingsStore. Saving merges by the presence of a field under a
/// row lock, so that two open tabs do not undo each other.
/// </summary>
/// <remarks>Every method throws <see cref="KeyRingMismatchException"/> or <see cref="SecretRefusedException"/> rather than show or save settings without their keys.</remarks>
public sealed class SettingsStore(OpenHandsDb db, SecretCipher cipher, AuditLog audit, TimeProvider time)
{
    /// <summary>The settings of a user; null only when none were ever saved and the organization gives none.</summary>
    public async Task<SavedSettings?> FindAsync(string userId, CancellationToken cancellationToken)
    {
        var found = await Rows(userId).AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        await PrepareAsync(userId, found?.Own, cancellationToken);
        return found is null ? null : Show(found);
    }

    /// <summary>The user with memberships and settings, in one round trip; null when there is no such user.</summary>
    public async Task<Profile?> FindProfileAsync(string userId, CancellationToken cancellationToken)
    {
        var found = await Rows(userId)
            .Select(rows => new
            {
                Settings = rows,
                User = db.Users.Single(user => user.Id == userId),
                Memberships = db.OrganizationMemberships
                    .Where(membership => membership.UserId == userId)
                    .Join(
                        db.Organizations, membership => membership.OrganizationId, organization => organization.Id,
                        (membership, organization) => new { organization.Id, organization.Name, membership.Role })
                    .OrderBy(joined => joined.Id)
                    .ToList(),
            })
            .AsNoTracking()
            .AsSingleQuery()
            .SingleOrDefaultAsync(cancellationToken);
        await PrepareAsync(userId, found?.Settings.Own, cancellationToken);
        return found is null ? null : new Profile(
            found.User.Id, found.User.Email, found.User.DisplayName,
            [.. found.Memberships.Select(joined => new ProfileMembership(joined.Id, joined.Name, joined.Role, joined.Id == found.User.ActiveOrganizationId))],
            Show(found.Settings));
    }

    /// <summary>
    /// The key for the language model that a user's work has: the user's own, else the organization's where it goes with the
    /// user's choices; null for none. The caller clears the buffer. It is for the agent, never for an answer.
    /// </summary>
    public async Task<byte[]?> FindLlmApiKeyAsync(string userId, CancellationToken cancellationToken)
    {
        var row = await db.UserSettings.AsNoTracking().SingleOrDefaultAsync(settings => settings.UserId == userId, cancellationToken);
        await PrepareAsync(userId, row, cancellationToken);
        using var secrets = row is null ? new SettingsSecrets() : SettingsSecrets.Open(cipher, row);
        if (secrets.Find(SettingsFields.LlmApiKey) is { } own)
        {
            await audit.NoteAsync(new AuditNote(AuditNote.LlmKeyRead, userId, "", null, userId), db.Tenant);
            return [.. own];
        }

        var organization = await FindOrganizationAsync(userId, cancellationToken);
        if (organization is null || !InheritedSettings.From(organization, platformModel: null).KeyGoesWith(row is null ? [] : Parse(row.Document)))
            return null;
        await cipher.PrepareAsync(db, SecretOwner.Organization(organization.OrganizationId), writes: false, cancellationToken);
        using var given = SettingsSecrets.Open(cipher, organization);
        if (given.Find(SettingsFields.LlmApiKey) is not { } key)
            return null;
        await audit.NoteAsync(new AuditNote(AuditNote.LlmKeyRead, organization.OrganizationId, "", organization.OrganizationId, null), db.Tenant);
        return [.. key];
    }

    /// <summary>
    /// Changes what was posted and differs from what holds; the first time, creates the row. A value that the user would have
    /// anyway is not stored: the front end posts back the whole form, which would freeze what the organization gives.
    /// </summary>
    /// <returns>Null when it is saved.</returns>
    public async Task<SettingsRefusal?> MergeAsync(string userId, SettingsPost posted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(posted);
        var problems = new List<FieldProblem>();
        var changes = SettingsChanges.Read(posted.Members, problems);
        if (problems.Count > 0)
            return new SettingsRefusal(problems[0]);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var row = await LockAsync(userId, cancellationToken)
            ?? await CreateAsync(userId, cancellationToken);
        var inherited = InheritedSettings.From(await FindOrganizationAsync(userId, cancellationToken), posted.PlatformModel);
        if (posted.Version is not null && posted.Version != SavedSettings.TextOf(row.Version, inherited.Version))
            return new SettingsRefusal(null);

        await cipher.PrepareAsync(db, SecretOwner.User(userId), writes: true, cancellationToken);
        using var secrets = SettingsSecrets.Open(cipher, row);
        var document = Parse(row.Document);
        var changed = SetFields(document, inherited, changes) | SetSecrets(secrets, changes, problems) | row.Version == 0;
        if (problems.Count > 0)
            return new SettingsRefusal(problems[0]);

        if (changed)
            await WriteAsync(row, document, secrets, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    // Without secrets no key is needed.
    private Task PrepareAsync(string userId, UserSettings? row, CancellationToken cancellationToken) =>
        row is null or { Secrets: "{}" } ? Task.CompletedTask : cipher.PrepareAsync(db, SecretOwner.User(userId), writes: false, cancellationToken);

    private IQueryable<SettingsRows> Rows(string userId)
    {
        var organization = db.Tenant?.OrganizationId;
        return db.Users.Where(user => user.Id == userId).Select(user => new SettingsRows
        {
            Own = db.UserSettings.SingleOrDefault(settings => settings.UserId == userId),
            Organization = db.OrganizationSettings.SingleOrDefault(settings => settings.OrganizationId == (organization ?? user.ActiveOrganizationId)),
            Email = user.Email,
            Providers = db.Secrets
                .Where(secret => secret.UserId == userId && secret.Kind == SecretKind.ProviderToken)
                .Select(secret => new ProviderHost { Provider = secret.Key, Host = secret.Host })
                .ToList(),
        });
    }

    private SavedSettings? Show(SettingsRows found)
    {
        if (found is { Own: null, Organization: null })
            return null;

        var inherited = InheritedSettings.From(found.Organization, platformModel: null);
        using var secrets = found.Own is null ? new SettingsSecrets() : SettingsSecrets.Open(cipher, found.Own);
        var document = found.Own is null ? [] : Parse(found.Own.Document);
        return new SavedSettings(
            Values(document, inherited, McpConfigOf(secrets)),
            secrets.Has(SettingsFields.LlmApiKey) || inherited.KeyGoesWith(document), secrets.Has("search_api_key"), found.Email,
            found.Providers.ToDictionary(provider => provider.Provider, provider => provider.Host), found.Own?.Version ?? 0, inherited.Version);
    }

    private Task<OrganizationSettings?> FindOrganizationAsync(string userId, CancellationToken cancellationToken)
    {
        var organization = db.Tenant?.OrganizationId;
        return db.OrganizationSettings.AsNoTracking().SingleOrDefaultAsync(
            settings => settings.OrganizationId == (organization ?? db.Users.Where(user => user.Id == userId).Select(user => user.ActiveOrganizationId).Single()),
            cancellationToken);
    }

    private async Task<UserSettings?> LockAsync(string userId, CancellationToken cancellationToken)
    {
        // By name: a prepared SELECT * fails once the next release has added a column.
        var rows = await db.UserSettings
            .FromSql($"SELECT user_id, document, secrets, key_id, version, created_at, updated_at FROM user_settings WHERE user_id = {userId} FOR UPDATE")
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        return rows.SingleOrDefault();
    }

    // Of several first saves one inserts; the others wait for it at the conflict and go on with its row.
    private async Task<UserSettings> CreateAsync(string userId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await db.Database.ExecuteSqlAsync(
            $$"""
            INSERT INTO users (id, created_at, updated_at) VALUES ({{userId}}, {{now}}, {{now}}) ON CONFLICT (id) DO NOTHING;
            INSERT INTO user_settings (user_id, document, secrets, version, created_at, updated_at)
            VALUES ({{userId}}, jsonb_build_object(), jsonb_build_object(), 0, {{now}}, {{now}}) ON CONFLICT (user_id) DO NOTHING
            """, cancellationToken);
        return await LockAsync(userId, cancellationToken)
            ?? throw new InvalidOperationException("The settings row vanished while it was created.");
    }

    private async Task WriteAsync(UserSettings row, JsonObject document, SettingsSecrets secrets, CancellationToken cancellationToken)
    {
        var version = row.Version + 1;
        var now = time.GetUtcNow();
        var json = document.ToJsonString();
        var sealedSecrets = secrets.Seal(cipher, row.UserId, version);
        var keyId = cipher.CurrentKeyId;
        await db.UserSettings.Where(settings => settings.UserId == row.UserId).ExecuteUpdateAsync(
            set => set
                .SetProperty(settings => settings.Document, json)
                .SetProperty(settings => settings.Secrets, sealedSecrets)
                .SetProperty(settings => settings.KeyId, keyId)
                .SetProperty(settings => settings.Version, version)
                .SetProperty(settings => settings.UpdatedAt, now),
            cancellationToken);
    }

    private static bool SetFields(JsonObject document, InheritedSettings inherited, SettingsChanges changes)
    {
        var changed = false;
        foreach (var (field, value) in changes.Fields)
        {
            if (JsonNode.DeepEquals(inherited.Effective(field, document), value))
                continue;
            if (inherited.Gives(field, value))
                document.Remove(field.Name);
            else
                document[field.Name] = value;
            changed = true;
        }

        return changed;
    }

    private static bool SetSecrets(SettingsSecrets secrets, SettingsChanges changes, List<FieldProblem> problems)
    {
        var changed = false;
        foreach (var (name, key) in changes.Keys)
            changed |= secrets.SetText(name, key);
        if (changes.ReplacesMcpConfig)
            changed |= secrets.Set(SettingsFields.McpConfig, changes.McpConfig?.WithKept(McpConfigOf(secrets), problems).ToJson());
        return changed;
    }

    private static McpConfig? McpConfigOf(SettingsSecrets secrets) =>
        secrets.Find(SettingsFields.McpConfig) is { } json ? McpConfig.Parse(json) : null;

    private static JsonObject Values(JsonObject document, InheritedSettings inherited, McpConfig? servers)
    {
        var values = new JsonObject();
        foreach (var field in SettingsFields.Document)
            values[field.Name] = inherited.Effective(field, document)?.DeepClone();
        values[SettingsFields.McpConfig] = servers?.ToMaskedJson();
        return values;
    }

    private static JsonObject Parse(string document) =>
        JsonNode.Parse(document)?.AsObject() ?? throw new InvalidOperationException("The settings document is null.");
}
