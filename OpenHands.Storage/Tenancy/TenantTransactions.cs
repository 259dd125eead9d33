using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace OpenHands.Storage.Tenancy;

/// <summary>Tells PostgreSQL the tenant once, directly after BEGIN, which Npgsql sends together with it.</summary>
internal sealed class TenantTransactions : DbTransactionInterceptor
{
    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        using var batch = Batch(connection, eventData, result);
        batch?.ExecuteNonQuery();
        return result;
    }

    public override async ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        await using var batch = Batch(connection, eventData, result);
        if (batch is not null)
            await batch.ExecuteNonQueryAsync(cancellationToken);
        return result;
    }

    public override DbTransaction TransactionUsed(DbConnection connection, TransactionEventData eventData, DbTransaction result) => Refuse(eventData, result);

    public override ValueTask<DbTransaction> TransactionUsedAsync(
        DbConnection connection, TransactionEventData eventData, DbTransaction result, CancellationToken cancellationToken = default) =>
        new(Refuse(eventData, result));

    private static NpgsqlBatch? Batch(DbConnection connection, TransactionEndEventData eventData, DbTransaction transaction) =>
        eventData.Context is OpenHandsDb { Tenant: { UserId: not null } tenant }
            ? new NpgsqlBatch((NpgsqlConnection)connection, (NpgsqlTransaction)transaction) { BatchCommands = { TenantSettings.Command(tenant) } }
            : null;

    // Somebody else's transaction may carry somebody else's tenant.
    private static DbTransaction Refuse(TransactionEventData eventData, DbTransaction transaction) =>
        eventData.Context is OpenHandsDb { Tenant: not null }
            ? throw new NotSupportedException("A tenant's work begins its own transaction.")
            : transaction;
}
