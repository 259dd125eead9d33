using System.Text;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Audit;

namespace OpenHands.Storage.Secrets;

/// <summary>Keeps a user's tokens for git providers: secrets of their own kind, which no name that a user gives a secret can meet.</summary>
public sealed class ProviderTokenStore(OpenHandsDb db, SecretCipher cipher, AuditLog audit, TimeProvider time)
{
    /// <summary>
    /// Replaces the user's tokens by the posted ones. A provider without a token keeps the stored one with the posted host, and
    /// stays unconnected where none is stored; a provider that is not posted is removed.
    /// </summary>
    public async Task ReplaceAsync(string userId, IReadOnlyDictionary<string, ProviderToken> posted, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(posted);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Of two that replace, the second goes on from the first.
        await db.Database.SqlQuery<string>($"""SELECT id AS "Value" FROM users WHERE id = {userId} FOR NO KEY UPDATE""").ToListAsync(cancellationToken);
        await cipher.PrepareAsync(db, SecretOwner.User(userId), writes: true, cancellationToken);
        var stored = await Tokens(userId).ToDictionaryAsync(secret => secret.Key, cancellationToken);

        db.Secrets.RemoveRange(stored.Values.Where(secret => !posted.ContainsKey(secret.Key)));
        foreach (var (provider, token) in posted)
            Set(userId, provider, token, stored.GetValueOrDefault(provider));

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        db.ChangeTracker.Clear();
    }

    /// <summary>Removes all of the user's tokens.</summary>
    public Task RemoveAllAsync(string userId, CancellationToken cancellationToken) => Tokens(userId).ExecuteDeleteAsync(cancellationToken);

    /// <summary>The providers with a token.</summary>
    public async Task<IReadOnlyCollection<string>> ConnectedAsync(string userId, CancellationToken cancellationToken) =>
        await Tokens(userId).Select(secret => secret.Key).ToListAsync(cancellationToken);

    /// <summary>The token for a provider; null when it is not connected. That it was read is on disk before. The caller clears the buffer.</summary>
    public async Task<StoredToken?> FindAsync(string userId, string provider, CancellationToken cancellationToken)
    {
        if (await Tokens(userId).AsNoTracking().SingleOrDefaultAsync(secret => secret.Key == provider, cancellationToken) is not { } found)
            return null;

        await cipher.PrepareAsync(db, SecretOwner.User(userId), writes: false, cancellationToken);
        await audit.NoteAsync(new AuditNote(AuditNote.ProviderTokenRead, provider, "", null, userId), db.Tenant);
        return new StoredToken(cipher.Open(found), found.Host);
    }

    private IQueryable<Secret> Tokens(string userId) =>
        db.Secrets.Where(secret => secret.UserId == userId && secret.Kind == SecretKind.ProviderToken);

    private void Set(string userId, string provider, ProviderToken token, Secret? stored)
    {
        if (token.Token is null && (stored is null || stored.Host == token.Host))
            return;

        var now = time.GetUtcNow();
        var plaintext = token.Token is null && stored is not null ? cipher.Open(stored) : Encoding.UTF8.GetBytes(token.Token ?? "");
        var secret = stored ?? db.Secrets.Add(New(userId, provider, now)).Entity;
        secret.Host = token.Host;
        cipher.Seal(secret, plaintext, now);
    }

    private Secret New(string userId, string provider, DateTimeOffset now) => new()
    {
        Id = EntityId.New(time),
        UserId = userId,
        Kind = SecretKind.ProviderToken,
        Key = provider,
        ValueEncrypted = "",
        KeyId = "",
        Description = "",
        CreatedAt = now,
    };
}

/// <summary>A posted token for a git provider.</summary>
/// <param name="Token">The token; null keeps the stored one.</param>
/// <param name="Host">Host that it is for; null for the provider's own.</param>
public sealed record ProviderToken(string? Token, string? Host)
{
    // The text of a record would show the token.
    /// <inheritdoc />
    public override string ToString() => nameof(ProviderToken);
}

/// <summary>A stored token for a git provider, with the one host that it may be sent to.</summary>
/// <param name="Value">The token.</param>
/// <param name="Host">Host that it is for; null for the provider's own.</param>
public sealed record StoredToken(byte[] Value, string? Host)
{
    /// <inheritdoc />
    public override string ToString() => nameof(StoredToken);
}
