using System.Net.Sockets;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>Tells "the database cannot be used now, try again" from an error of ours.</summary>
public static class DatabaseAvailability
{
    private const string NoPrimary = "No suitable host was found.";

    /// <summary>
    /// True when the failure, or what caused it, means that PostgreSQL is down, starting, stopping, overloaded, unreachable
    /// or not migrated yet: worth a 503 with Retry-After, and never "not found".
    /// </summary>
    public static bool IsUnavailable(Exception? exception) => exception switch
    {
        null => false,
        PostgresException refused => IsUnavailable(refused.SqlState),
        NpgsqlException { IsTransient: true } => true,
        NpgsqlException { InnerException: SocketException or IOException or TimeoutException } => true,
        // Of several hosts none is primary: a failover is under way. It has no type or code of its own.
        NpgsqlException { InnerException: null, Message: NoPrimary } => true,
        AggregateException several => several.InnerExceptions.Any(IsUnavailable),
        _ => IsUnavailable(exception.InnerException),
    };

    /// <summary>
    /// True when the database refused a row because what it belongs to (the user, the organization) was removed in this moment,
    /// between the check of the caller and the write.
    /// </summary>
    public static bool IsOfRemovedOwner(Exception? exception) => exception switch
    {
        null => false,
        PostgresException refused => refused.SqlState == PostgresErrorCodes.ForeignKeyViolation,
        _ => IsOfRemovedOwner(exception.InnerException),
    };

    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    private static bool IsUnavailable(string sqlState) => sqlState switch
    {
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow => true,
        PostgresErrorCodes.DatabaseDropped or "57P05" => true, // 57P05: idle session timeout
        // A former primary after a failover.
        PostgresErrorCodes.ReadOnlySqlTransaction => true,
        // The migration step has not made the tables, the role or the database yet.
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidCatalogName => true,
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification => true,
        // 08: connection exception, 53: insufficient resources (among them too many connections).
        _ => sqlState.StartsWith("08", StringComparison.Ordinal) || sqlState.StartsWith("53", StringComparison.Ordinal),
    };
}
