using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace OpenHands.Storage.Tenancy;

/// <summary>Tells PostgreSQL the tenant once, directly after BEGIN, which Npgsql sends together with it.</summary>
internal sealed class TenantTransactions : DbTransactionInterceptor
{
    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        using var command = Command(connection, eventData, result);
        command?.ExecuteNonQuery();
        return result;
    }

    public override async ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        await using var command = Command(connection, eventData, result);
        if (command is not null)
            await command.ExecuteNonQueryAsync(cancellationToken);
        return result;
    }

    public override DbTransaction TransactionUsed(DbConnection connection, TransactionEventData eventData, DbTransaction result) => Refuse(eventData, result);

    public override ValueTask<DbTransaction> TransactionUsedAsync(
        DbConnection connection, TransactionEventData eventData, DbTransaction result, CancellationToken cancellationToken = default) =>
        new(Refuse(eventData, result));

    private static DbCommand? Command(DbConnection connection, TransactionEndEventData eventData, DbTransaction transaction)
    {
        if (eventData.Context is not OpenHandsDb { Tenant: { UserId: not null } tenant })
            return null;

        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = TenantSettings.Statement;
        TenantSettings.AddTo(command, tenant);
        return command;
    }

    // Somebody else's transaction may carry somebody else's tenant.
    private static DbTransaction Refuse(TransactionEventData eventData, DbTransaction transaction) =>
        eventData.Context is OpenHandsDb { Tenant: not null }
            ? throw new NotSupportedException("A tenant's work begins its own transaction.")
            : transaction;
}
