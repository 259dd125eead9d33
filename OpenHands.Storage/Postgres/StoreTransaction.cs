using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace OpenHands.Storage.Postgres;

/// <summary>
/// The transaction of a store's method: its own, or a part of the one that the caller has begun. A part has no end of its own:
/// who began the whole commits it, or rolls back everything.
/// </summary>
internal sealed class StoreTransaction : IAsyncDisposable
{
    private readonly OpenHandsDb _db;
    private readonly StoreTransaction? _whole;
    private readonly IDbContextTransaction? _transaction;
    private readonly List<Func<bool, Task>> _atEnd = [];
    private bool _committed;

    private StoreTransaction(OpenHandsDb db, StoreTransaction? whole, IDbContextTransaction? transaction) =>
        (_db, _whole, _transaction) = (db, whole, transaction);

    /// <summary>Begins one, or joins that of the context.</summary>
    public static async Task<StoreTransaction> BeginAsync(OpenHandsDb db, CancellationToken cancellationToken)
    {
        if (db.StoreTransaction is { } whole)
            return new StoreTransaction(db, whole, transaction: null);
        return db.StoreTransaction = new StoreTransaction(db, whole: null, await db.Database.BeginTransactionAsync(cancellationToken));
    }

    /// <summary>Has something done after the end of the whole: told whether it was committed; it may have been, too, if COMMIT itself failed.</summary>
    public void AtEnd(Func<bool, Task> act) => (_whole ?? this)._atEnd.Add(act);

    /// <summary>Commits, or in a part has the deferred constraints checked: what they refuse is the part's own outcome.</summary>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (_transaction is null)
        {
            await _db.Database.ExecuteSqlAsync($"SET CONSTRAINTS ALL IMMEDIATE", cancellationToken);
            return;
        }

        await _transaction.CommitAsync(cancellationToken);
        _committed = true;
    }

    /// <summary>Rolls back what was not committed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_transaction is null)
            return;
        _db.StoreTransaction = null;
        try
        {
            await _transaction.DisposeAsync();
        }
        finally
        {
            foreach (var act in _atEnd)
                await act(_committed);
        }
    }
}
