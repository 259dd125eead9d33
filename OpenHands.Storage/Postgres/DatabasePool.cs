using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>
/// The pool of connections of <see cref="OpenHandsDb"/>, for the few statements that are written by hand because they are run so often
/// that a context would cost more than they do. Its connections know no tenant: rows of tenants need a <see cref="Tenancy.TenantTransaction"/>.
/// </summary>
public sealed class DatabasePool(string connectionString)
{
    /// <summary>The pool of contexts with these options: Npgsql has one for each connection string.</summary>
    public static DatabasePool Of(DbContextOptions<OpenHandsDb> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DatabasePool(options.Extensions.OfType<RelationalOptionsExtension>().Single().ConnectionString
            ?? throw new InvalidOperationException("There is no connection string for the database."));
    }

    /// <summary>An open connection, to be disposed.</summary>
    internal async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
