using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>
/// Lets a connection forget what it counts as prepared although it never was. Npgsql does so with what comes first in a batch that it then
/// cannot send, because a later value cannot be written (half a character, for one): from then on that connection would answer everybody who uses
/// the statement that it does not exist.
/// </summary>
internal sealed class UnsentBatches : DbCommandInterceptor
{
    /// <summary>Lets it prepare everything anew, if the failure may be such a one; where that fails, nobody gets it again.</summary>
    public static void Forget(DbConnection? connection, Exception failure)
    {
        if (connection is not NpgsqlConnection { State: ConnectionState.Open } used || failure is NpgsqlException or OperationCanceledException)
            return;
        try
        {
            used.UnprepareAll(); // there is none that does not block
        }
        catch (Exception other) when (other is NpgsqlException or InvalidOperationException)
        {
            NpgsqlConnection.ClearPool(used);
        }
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
