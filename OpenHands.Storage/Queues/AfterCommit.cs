using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace OpenHands.Storage.Queues;

/// <summary>Does what a transaction of <see cref="OpenHandsDb"/> asked for once it is committed, and forgets it when it is not.</summary>
internal sealed class AfterCommit : DbTransactionInterceptor
{
    public override void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => _ = RunAsync(eventData);

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default) =>
        RunAsync(eventData);

    public override void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => Forget(eventData);

    public override Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Forget(eventData);
        return Task.CompletedTask;
    }

    public override InterceptionResult<DbTransaction> TransactionStarting(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result)
    {
        Forget(eventData); // of a transaction that ended without either
        return result;
    }

    public override ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(
        DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
    {
        Forget(eventData);
        return new(result);
    }

    private static void Forget(DbContextEventData eventData) => (eventData.Context as OpenHandsDb)?.AfterCommit.Clear();

    private static async Task RunAsync(DbContextEventData eventData)
    {
        if (eventData.Context is not OpenHandsDb { AfterCommit: { Count: > 0 } wanted })
            return;
        Func<Task>[] actions = [.. wanted];
        wanted.Clear();
        foreach (var action in actions)
            await action();
    }
}
