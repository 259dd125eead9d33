using Npgsql;
using OpenHands.Cli.Backups;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Secrets;

namespace OpenHands.Cli.Tenants;

/// <summary>
/// Erases a tenant: its key first, which makes every copy of its ciphertexts worthless, then its rows; then tries to read the
/// ciphertexts that were there.
/// </summary>
internal sealed class TenantErasure(NpgsqlConnection administrator, Installation installation, TimeProvider time)
{
    /// <summary>Erases it.</summary>
    public async Task<ErasedTenant> EraseAsync(TenantScope scope, IReadOnlyList<DirectoryInfo> backups, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, long>();
        var ciphertexts = new List<(SecretPlace Place, string Jwe)>();
        await using (var transaction = await administrator.BeginTransactionAsync(cancellationToken))
        {
            foreach (var table in TenantTable.All)
            {
                var found = await TenantExport.RowsAsync(administrator, table, scope, cancellationToken);
                if (table.Name != "users" || !scope.IsOrganization) // members stay
                    rows[table.Name] = found.Count;
                ciphertexts.AddRange(found.SelectMany(row => TenantCiphertexts.Of(table, row)));
            }

            if (rows.GetValueOrDefault(scope.IsOrganization ? "organizations" : "users") == 0)
                throw new OperatorException($"{scope} is not here.");
            if (ciphertexts.Any(ciphertext => !SecretCipher.NeedsTenantKey(ciphertext.Jwe)))
                throw new OperatorException($"{scope} has secrets from before tenants had keys of their own: run 'rotate' first, which brings them under one. Nothing was erased.");

            await DestroyAsync(scope, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        foreach (var backup in backups)
            BackupSet.Open(backup.FullName).ForgetTenantKey(scope.Owner);
        await DemandUnreadableAsync(scope, ciphertexts, cancellationToken);
        return new ErasedTenant(rows, ciphertexts.Count, [.. backups.Select(backup => backup.FullName)]);
    }

    private async Task DestroyAsync(TenantScope scope, CancellationToken cancellationToken)
    {
        string[] statements =
        [
            $"DELETE FROM tenant_keys WHERE {(scope.IsOrganization ? "organization_id" : "user_id")} = $1",
            scope.IsOrganization ? "DELETE FROM organizations WHERE id = $1" : "DELETE FROM users WHERE id = $1",
        ];
        foreach (var statement in statements)
        {
            await using var delete = new NpgsqlCommand(statement, administrator);
            delete.Parameters.Add(new NpgsqlParameter<string> { TypedValue = scope.Id });
            try
            {
                await delete.ExecuteNonQueryAsync(cancellationToken);
            }
            catch (PostgresException refused) when (refused.SqlState == "OH001")
            {
                throw LastAdmin(scope);
            }
        }

        var audited = new AuditNote("tenant.erased", scope.Id, scope.Kind, scope.IsOrganization ? scope.Id : null, scope.IsOrganization ? null : scope.Id)
            .By("operator", new AuditOrigin(null, null, "openhands-cli"), time);
        await AuditInsert.InsertAsync(administrator, audited, cancellationToken);
        try
        {
            await using var check = new NpgsqlCommand("SET CONSTRAINTS ALL IMMEDIATE", administrator);
            await check.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException refused) when (refused.SqlState == "OH001")
        {
            throw LastAdmin(scope);
        }
    }

    // With the ring, and with whatever key of the tenant there is now: a copy of the rows must be worthless.
    private async Task DemandUnreadableAsync(TenantScope scope, List<(SecretPlace Place, string Jwe)> ciphertexts, CancellationToken cancellationToken)
    {
        var tenants = new TenantKeys(installation.Configuration, time);
        await tenants.LoadAsync(administrator, [scope.Owner], create: false, cancellationToken);
        var cipher = new SecretCipher(installation.Keys, tenants);
        foreach (var (place, jwe) in ciphertexts)
        {
            try
            {
                System.Security.Cryptography.CryptographicOperations.ZeroMemory(cipher.Decrypt(place, jwe));
            }
            catch (SecretRefusedException)
            {
                continue;
            }

            throw new OperatorException($"{scope}: a ciphertext can STILL be read although the key was destroyed. Report this.");
        }
    }

    private static OperatorException LastAdmin(TenantScope scope) =>
        new($"{scope} is the only admin of an organization that others are in. Make somebody else an admin there, or erase that organization first. Nothing was erased.");
}

/// <summary>What an erasure did.</summary>
/// <param name="Rows">Deleted rows by table.</param>
/// <param name="Tried">Ciphertexts that were there, and that could not be read afterwards.</param>
/// <param name="Backups">Backup sets that the key was removed from.</param>
internal sealed record ErasedTenant(IReadOnlyDictionary<string, long> Rows, int Tried, IReadOnlyList<string> Backups);
