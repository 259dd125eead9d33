using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace OpenHands.Storage.Tenancy;

/// <summary>
/// Tells PostgreSQL the tenant together with every command outside a transaction: one batch, one round trip, one implicit
/// transaction. Inside a transaction <see cref="TenantTransactions"/> has told it already, and nothing is prefixed: Npgsql
/// checks SaveChanges by the position of its statements, and a prefix makes a stale update report success.
/// </summary>
internal sealed class TenantCommands : DbCommandInterceptor
{
    public override InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        Prefix(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Prefix(command, eventData);
        return new(result);
    }

    // The first result is that of the prefix.
    public override DbDataReader ReaderExecuted(DbCommand command, CommandExecutedEventData eventData, DbDataReader result)
    {
        if (IsPrefixed(command))
            result.NextResult();
        return result;
    }

    public override async ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
    {
        if (IsPrefixed(command))
            await result.NextResultAsync(cancellationToken);
        return result;
    }

    // A row count adds up what statements changed; the prefix changes nothing.
    public override InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        Prefix(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Prefix(command, eventData);
        return new(result);
    }

    public override InterceptionResult<object> ScalarExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<object> result)
    {
        RefuseScalar(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
    {
        RefuseScalar(command, eventData);
        return new(result);
    }

    private static void Prefix(DbCommand command, CommandEventData eventData)
    {
        if (TenantOf(command, eventData) is not { } tenant)
            return;
        if (eventData.CommandSource == CommandSource.SaveChanges)
            throw new InvalidOperationException("SaveChanges needs a transaction, in which the tenant is known.");

        command.CommandText = $"{TenantSettings.Statement};\n{command.CommandText}";
        TenantSettings.AddTo(command, tenant);
    }

    private static bool IsPrefixed(DbCommand command) => command.CommandText.StartsWith(TenantSettings.Statement, StringComparison.Ordinal);

    // It would answer with the value of the prefix.
    private static void RefuseScalar(DbCommand command, CommandEventData eventData)
    {
        if (TenantOf(command, eventData) is not null)
            throw new NotSupportedException("Outside a transaction a tenant's value is read as a row, not as a scalar.");
    }

    private static TenantContext? TenantOf(DbCommand command, CommandEventData eventData) =>
        command.Transaction is null && eventData.Context is OpenHandsDb { Tenant: { UserId: not null } tenant } ? tenant : null;
}
