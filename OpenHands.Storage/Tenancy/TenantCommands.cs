using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

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
        if (TenantOf(command, eventData) is not { } tenant)
            return result;

        var rows = Batch(command, tenant).ExecuteReader();
        rows.NextResult(); // the first is that of the settings
        return InterceptionResult<DbDataReader>.SuppressWithResult(rows);
    }

    public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        if (TenantOf(command, eventData) is not { } tenant)
            return result;

        var rows = await Batch(command, tenant).ExecuteReaderAsync(cancellationToken);
        await rows.NextResultAsync(cancellationToken); // the first is that of the settings
        return InterceptionResult<DbDataReader>.SuppressWithResult(rows);
    }

    // A row count adds up what statements changed; the settings change nothing.
    public override InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result) =>
        TenantOf(command, eventData) is { } tenant ? InterceptionResult<int>.SuppressWithResult(Batch(command, tenant).ExecuteNonQuery()) : result;

    public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) =>
        TenantOf(command, eventData) is { } tenant
            ? InterceptionResult<int>.SuppressWithResult(await Batch(command, tenant).ExecuteNonQueryAsync(cancellationToken))
            : result;

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

    // Not a longer text of the command: its parameters have names, for which Npgsql reads the whole text anew at every call. A batch
    // that nobody prepared holds nothing to be disposed of; its rows go with the reader, which EF Core disposes.
    private static NpgsqlBatch Batch(DbCommand command, TenantContext tenant)
    {
        var npgsql = (NpgsqlCommand)command;
        var own = new NpgsqlBatchCommand(npgsql.CommandText);
        var parameters = npgsql.Parameters.ToArray();
        npgsql.Parameters.Clear(); // a parameter belongs to one command
        own.Parameters.AddRange(parameters);
        return new NpgsqlBatch(npgsql.Connection) { BatchCommands = { TenantSettings.Command(tenant), own }, Timeout = npgsql.CommandTimeout };
    }

    // It would answer with the value of the settings.
    private static void RefuseScalar(DbCommand command, CommandEventData eventData)
    {
        if (TenantOf(command, eventData) is not null)
            throw new NotSupportedException("Outside a transaction a tenant's value is read as a row, not as a scalar.");
    }

    private static TenantContext? TenantOf(DbCommand command, CommandEventData eventData)
    {
        if (command.Transaction is not null || eventData.Context is not OpenHandsDb { Tenant: { UserId: not null } tenant })
            return null;

        return eventData.CommandSource == CommandSource.SaveChanges
            ? throw new InvalidOperationException("SaveChanges needs a transaction, in which the tenant is known.")
            : tenant;
    }
}
