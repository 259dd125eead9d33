using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Settings;

/// <summary>
/// Keeps each user's settings: the architecture's PostgresSettingsStore. Saving merges by the presence of a field under a
/// row lock, so that two open tabs do not undo each other.
/// </summary>
/// <remarks>Both methods throw <see cref="KeyRingMismatchException"/> or <see cref="SecretRefusedException"/> rather than show or save settings without their keys.</remarks>
public sealed class SettingsStore(OpenHandsDb db, SecretCipher cipher, TimeProvider time)
{
    /// <summary>The settings of a user; null only when none were ever saved.</summary>
    public async Task<SavedSettings?> FindAsync(string userId, CancellationToken cancellationToken)
    {
        var found = await db.UserSettings
            .Where(settings => settings.UserId == userId)
            .Join(db.Users, settings => settings.UserId, user => user.Id, (settings, user) => new
            {
                Row = settings,
                user.Email,
                Providers = db.Secrets
                    .Where(secret => secret.UserId == userId && secret.Kind == SecretKind.ProviderToken)
                    .Select(secret => new { secret.Key, secret.Host })
                    .ToList(),
            })
            .AsNoTracking()
            .SingleOrDefaultAsync(cancellationToken);
        if (found is null)
            return null;

        using var secrets = SettingsSecrets.Open(cipher, found.Row);
        return new SavedSettings(
            Values(Parse(found.Row.Document), McpConfigOf(secrets)),
            secrets.Has("llm_api_key"), secrets.Has("search_api_key"), found.Email,
            found.Providers.ToDictionary(provider => provider.Key, provider => provider.Host), found.Row.Version);
    }

    /// <summary>Changes what <paramref name="posted"/> names and differs from what is stored; the first time, creates the row.</summary>
    /// <returns>Null when it is saved, else the first thing that is wrong; then nothing is changed.</returns>
    public async Task<FieldProblem?> MergeAsync(string userId, JsonObject posted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(posted);
        var problems = new List<FieldProblem>();
        var changes = SettingsChanges.Read(posted, problems);
        if (problems.Count > 0)
            return problems[0];

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var row = await LockAsync(userId, cancellationToken)
            ?? await CreateAsync(userId, cancellationToken);
        using var secrets = SettingsSecrets.Open(cipher, row);
        var document = Parse(row.Document);

        var changed = SetFields(document, changes) | SetSecrets(secrets, changes, problems) | row.Version == 0;
        if (problems.Count > 0)
            return problems[0];

        if (changed)
            await WriteAsync(row, document, secrets, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
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

    private static bool SetFields(JsonObject document, SettingsChanges changes)
    {
        var changed = false;
        foreach (var (field, value) in changes.Fields)
        {
            if (JsonNode.DeepEquals(field.Effective(document), value))
                continue;
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

    private static JsonObject Values(JsonObject document, McpConfig? servers)
    {
        var values = new JsonObject();
        foreach (var field in SettingsFields.Document)
            values[field.Name] = field.Effective(document)?.DeepClone();
        values[SettingsFields.McpConfig] = servers?.ToMaskedJson();
        return values;
    }

    private static JsonObject Parse(string document) =>
        JsonNode.Parse(document)?.AsObject() ?? throw new InvalidOperationException("The settings document is null.");
}
