using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>
/// Forgets connections that count a statement as prepared which never was. Npgsql does so with what comes first in a batch that it then
/// cannot send, because a later value cannot be written (half a character, for one): from then on that connection would answer everybody who uses
/// the statement that it does not exist.
/// </summary>
internal sealed class UnsentBatches : DbCommandInterceptor
{
    /// <summary>Lets no connection of the pool be used again after this one, if the failure may be such a one.</summary>
    public static void Forget(DbConnection? connection, Exception failure)
    {
        if (connection is NpgsqlConnection pooled && failure is not (NpgsqlException or OperationCanceledException))
            NpgsqlConnection.ClearPool(pooled);
    }

    /// <summary>Runs a batch that is written by hand.</summary>
    public static async Task<NpgsqlDataReader> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await batch.ExecuteReaderAsync(cancellationToken);
        }
        catch (Exception failure)
        {
            Forget(batch.Connection, failure);
            throw;
        }
    }

    public override void CommandFailed(DbCommand command, CommandErrorEventData eventData) => Forget(command.Connection, eventData.Exception);

    public override Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Forget(command.Connection, eventData.Exception);
        return Task.CompletedTask;
    }
}
