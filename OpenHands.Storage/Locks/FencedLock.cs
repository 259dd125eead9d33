using Microsoft.EntityFrameworkCore;

namespace OpenHands.Storage.Locks;

/// <summary>
/// A lock whose holder has a number greater than those of all former holders. PostgreSQL refuses a holder after a later one has
/// passed, so that of a holder that was paused, or whose lock Redis has lost, nothing is written.
/// </summary>
public sealed class FencedLock(HeldLock held, string name, long token) : IAsyncDisposable
{
    /// <summary>The number of this holder: from a sequence of PostgreSQL, since a counter in Redis goes back when Redis does.</summary>
    public long Token => token;

    /// <inheritdoc cref="HeldLock.Lost"/>
    public CancellationToken Lost => held.Lost;

    /// <inheritdoc cref="HeldLock.IsHeld"/>
    public bool IsHeld => held.IsHeld;

    /// <summary>
    /// Passes the fence of the resource: from here on all former holders are refused. To be called in every transaction that
    /// writes under the lock, or reads what is then written, before anything else. It holds a row lock until COMMIT.
    /// </summary>
    /// <param name="db">A context with a transaction.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="LockLostException">A later holder has passed. The transaction must be rolled back.</exception>
    public async Task PassAsync(OpenHandsDb db, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);
        if (db.Database.CurrentTransaction is null)
            throw new InvalidOperationException("A fence is passed inside a transaction: outside, another holder could pass before the write.");

        var passed = await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO fences AS f (name, token) VALUES ({name}, {token})
            ON CONFLICT (name) DO UPDATE SET token = excluded.token WHERE f.token <= excluded.token
            """, cancellationToken);
        if (passed == 0)
            throw new LockLostException(name);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => held.DisposeAsync();
}
