using System.Collections.Concurrent;
using System.Data.Common;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// The tenants' own keys, as this process knows them. What PostgreSQL said is believed for two seconds, so that a destroyed key is
/// forgotten everywhere soon after. A tenant gets one with its first secret.
/// </summary>
/// <param name="writes">Whether new ciphertexts need them. False while a release runs beside this one that does not know them.</param>
/// <param name="time">The clock.</param>
public sealed class TenantKeys(bool writes, TimeProvider time)
{
    private const string Setting = "Secrets:TenantKeys";
    private const int SaltBytes = 32;
    private const int IdBytes = 8;

    // About 300 bytes each.
    private const int Most = 20_000;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>By the setting <c>Secrets:TenantKeys</c>, true unless it says false.</summary>
    public TenantKeys(IConfiguration configuration, TimeProvider time) : this(configuration.GetValue(Setting, true), time)
    {
    }

    /// <summary>Whether new ciphertexts need them.</summary>
    internal bool Writes => writes;

    /// <summary>Learns the key of the owner, as the tenant of the context.</summary>
    /// <param name="db">The tenant must be the owner, or a member of the owner; an admin to make a key.</param>
    /// <param name="owner">Whose.</param>
    /// <param name="create">Whether to make one where there is none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PostgresException">The tenant may not write secrets of the owner.</exception>
    internal async Task LoadAsync(OpenHandsDb db, SecretOwner owner, bool create, CancellationToken cancellationToken)
    {
        // Of many who find it too old one asks; the others go on with it meanwhile.
        if (_known.TryGetValue(owner.Tenant, out var known) && known.IsSure
            && (time.GetElapsedTime(known.At) < Lifetime || !_known.TryUpdate(owner.Tenant, known with { At = time.GetTimestamp() }, known)))
        {
            return;
        }

        var asked = time.GetTimestamp();
        var key = await FindOrForgetAsync(db, owner, cancellationToken);
        if (key is null && create && writes)
        {
            var (id, salt, now) = (NewId(), RandomNumberGenerator.GetBytes(SaltBytes), time.GetUtcNow());
            // Of several first secrets one makes the key; the others wait for it at the conflict.
            await db.Database.ExecuteSqlAsync(
                $"INSERT INTO tenant_keys (id, user_id, organization_id, salt, created_at) VALUES ({id}, {owner.UserId}::text, {owner.OrganizationId}::text, {salt}, {now}) ON CONFLICT DO NOTHING", cancellationToken);
            key = await FindAsync(db, owner, cancellationToken);
        }

        // What an open transaction has made is gone if it is rolled back, and with it whatever others had encrypted: they ask for themselves.
        Remember(owner.Tenant, key, asked, isSure: db.Database.CurrentTransaction is null);
    }

    /// <summary>Learns the keys of many owners, as a role that sees all of them.</summary>
    internal async Task LoadAsync(NpgsqlConnection connection, IReadOnlyCollection<SecretOwner> owners, bool create, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        string[] users = [.. owners.Select(owner => owner.UserId).OfType<string>().Distinct()];
        string[] organizations = [.. owners.Select(owner => owner.OrganizationId).OfType<string>().Distinct()];
        if (create && writes)
        {
            await InsertAsync(connection, "user_id", users, cancellationToken);
            await InsertAsync(connection, "organization_id", organizations, cancellationToken);
        }

        var found = new Dictionary<string, TenantKey>();
        await using (var select = new NpgsqlCommand("SELECT id, user_id, organization_id, salt, created_at FROM tenant_keys WHERE user_id = ANY ($1) OR organization_id = ANY ($2)", connection))
        {
            select.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = users });
            select.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = organizations });
            await using var rows = await select.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var key = Read(rows);
                found[new SecretOwner(key.UserId, key.OrganizationId).Tenant] = key;
            }
        }

        foreach (var owner in owners)
            Remember(owner.Tenant, found.GetValueOrDefault(owner.Tenant), asked, isSure: !create); // a new one may be of an open transaction
    }

    /// <summary>The key of a tenant that was learned before; null when it has none.</summary>
    internal TenantKey? Find(string tenant) => _known.TryGetValue(tenant, out var known) ? known.Key : null;

    // What cannot be asked now is not known any more, so that the next one asks.
    private async Task<TenantKey?> FindOrForgetAsync(OpenHandsDb db, SecretOwner owner, CancellationToken cancellationToken)
    {
        try
        {
            return await FindAsync(db, owner, cancellationToken);
        }
        catch
        {
            _known.TryRemove(owner.Tenant, out _);
            throw;
        }
    }

    private static Task<TenantKey?> FindAsync(OpenHandsDb db, SecretOwner owner, CancellationToken cancellationToken) =>
        db.TenantKeys.AsNoTracking().SingleOrDefaultAsync(key => key.UserId == owner.UserId && key.OrganizationId == owner.OrganizationId, cancellationToken);

    private async Task InsertAsync(NpgsqlConnection connection, string column, string[] owners, CancellationToken cancellationToken)
    {
        if (owners.Length == 0)
            return;
        await using var insert = new NpgsqlCommand(
            $"INSERT INTO tenant_keys (id, {column}, salt, created_at) SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING", connection);
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. owners.Select(_ => NewId())] });
        insert.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = owners });
        insert.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. owners.Select(_ => RandomNumberGenerator.GetBytes(SaltBytes))] });
        insert.Parameters.Add(new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. owners.Select(_ => time.GetUtcNow())] });
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    // That there is none is not remembered: whoever may not see it sees none.
    private void Remember(string tenant, TenantKey? key, long asked, bool isSure)
    {
        if (key is null)
        {
            _known.TryRemove(tenant, out _);
            return;
        }

        if (_known.Count >= Most)
            _known.Clear();
        _known[tenant] = new Known(key, asked, isSure);
    }

    private static TenantKey Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        UserId = row.IsDBNull(1) ? null : row.GetString(1),
        OrganizationId = row.IsDBNull(2) ? null : row.GetString(2),
        Salt = row.GetFieldValue<byte[]>(3),
        CreatedAt = row.GetFieldValue<DateTimeOffset>(4),
    };

    private static string NewId() => RandomNumberGenerator.GetHexString(2 * IdBytes, lowercase: true);

    /// <param name="Key">The key.</param>
    /// <param name="At">When PostgreSQL was asked, on the monotonic clock.</param>
    /// <param name="IsSure">False while it may be known to an open transaction alone.</param>
    private readonly record struct Known(TenantKey Key, long At, bool IsSure);
}
