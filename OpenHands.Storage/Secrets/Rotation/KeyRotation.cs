using System.Globalization;
using Npgsql;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Settings;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>
/// Re-encrypts everything stored under the current key of the ring, while readers and writers go on. What is left to do stands in
/// the rows themselves, so a run that was killed is resumed by the next, and two at once share the work.
/// </summary>
/// <remarks>Every process must have the current key, and the old one beside it, before a rotation begins.</remarks>
public sealed class KeyRotation(KeyRing keys, KeyRotationOptions options, TimeProvider time, TenantKeys? tenants = null)
{
    private static readonly TimeSpan LockedPause = TimeSpan.FromMilliseconds(100);

    private readonly SecretCipher _cipher = new(keys, tenants);

    /// <summary>How many rows of all tables are not under the current key.</summary>
    /// <param name="system">Connects as the role <c>openhands_system</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<long> RemainingAsync(NpgsqlDataSource system, CancellationToken cancellationToken)
    {
        long remaining = 0;
        foreach (var table in Tables())
            remaining += await table.CountAsync(system, cancellationToken);
        return remaining;
    }

    /// <summary>Rotates until nothing is left that can be.</summary>
    /// <param name="system">Connects as the role <c>openhands_system</c>.</param>
    /// <param name="progress">Told after every batch; null for nobody.</param>
    /// <param name="cancellationToken">Stops after the running batch; the next run goes on.</param>
    public async Task<KeyRotationResult> RunAsync(NpgsqlDataSource system, IProgress<KeyRotationProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(system);
        var total = await RemainingAsync(system, cancellationToken);
        long rotated = 0;
        var refused = new List<string>();
        foreach (var table in Tables())
        {
            rotated = await RotateAsync(system, table, rotated, done => progress?.Report(new KeyRotationProgress(table.Name, done, Math.Max(total, done))), cancellationToken);
            refused.AddRange(table.Refused.Select(id => $"{table.Name}:{id}"));
        }

        var result = new KeyRotationResult(keys.Current.Id, rotated, refused, await StrikeOutAsync(system, cancellationToken));
        await NoteAsync(system, result, cancellationToken);
        return result;
    }

    private async Task NoteAsync(NpgsqlDataSource system, KeyRotationResult result, CancellationToken cancellationToken)
    {
        // Not how many rows: a run that was resumed knows only its own.
        var detail = string.Create(CultureInfo.InvariantCulture, $"{result.Refused.Count} rows refused");
        if (result.Removable.Count > 0)
            detail += $", no longer used: {string.Join(' ', result.Removable)}";
        await using var connection = await system.OpenConnectionAsync(cancellationToken);
        await AuditInsert.InsertAsync(connection, new AuditNote(AuditNote.Rotated, result.CurrentKeyId, detail, null, null).By(null, null, time), cancellationToken);
    }

    private async Task<long> RotateAsync(NpgsqlDataSource system, RotatedTable table, long rotated, Action<long> report, CancellationToken cancellationToken)
    {
        while (true)
        {
            var started = time.GetTimestamp();
            var (written, any) = await table.RotateBatchAsync(system, options.BatchSize, cancellationToken);
            if (!any)
            {
                if (await table.CountAsync(system, cancellationToken) <= table.Refused.Count)
                    return rotated;
                await Task.Delay(LockedPause, time, cancellationToken); // what is left is locked by others
                continue;
            }

            rotated += written;
            report(rotated);
            var rest = TimeSpan.FromSeconds((double)written / options.RowsPerSecond) - time.GetElapsedTime(started);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, time, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<string>> StrikeOutAsync(NpgsqlDataSource system, CancellationToken cancellationToken)
    {
        await using var strikeOut = system.CreateCommand(
            """
            DELETE FROM encryption_keys k WHERE id <> $1
                AND NOT EXISTS (SELECT FROM secrets WHERE key_id IN (k.id, k.id || '.t'))
                AND NOT EXISTS (SELECT FROM secret_versions WHERE key_id IN (k.id, k.id || '.t'))
                AND NOT EXISTS (SELECT FROM user_settings WHERE key_id IN (k.id, k.id || '.t') OR (key_id IS NULL AND secrets <> jsonb_build_object()))
                AND NOT EXISTS (SELECT FROM organization_settings WHERE key_id IN (k.id, k.id || '.t'))
                AND NOT EXISTS (SELECT FROM data_protection_keys WHERE key_id = k.id)
                AND NOT EXISTS (SELECT FROM webhooks WHERE key_id IN (k.id, k.id || '.t'))
            RETURNING id
            """);
        strikeOut.Parameters.Add(new NpgsqlParameter<string> { TypedValue = keys.Current.Id });
        var removable = new List<string>();
        await using var rows = await strikeOut.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            removable.Add(rows.GetString(0));
        return removable;
    }

    /// <summary>Everything that holds ciphertexts. A test walks the catalogue and fails when one is missing.</summary>
    private IEnumerable<RotatedTable> Tables() =>
    [
        new RotatedSecrets(_cipher, tenants), new RotatedSecretVersions(_cipher, tenants),
        new RotatedSettings(_cipher, tenants, "user_settings", "user_id", SettingsSecrets.Place),
        new RotatedSettings(_cipher, tenants, "organization_settings", "organization_id", SettingsSecrets.OrganizationPlace),
        new RotatedDataProtectionKeys(_cipher),
        new RotatedWebhooks(_cipher, tenants),
    ];
}
