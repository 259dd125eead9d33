using System.Net.Sockets;
using Npgsql;

namespace OpenHands.Worker.Queues;

/// <summary>Tells "PostgreSQL cannot be used now, try again" from an error of ours.</summary>
internal static class PostgresAbsence
{
    /// <summary>
    /// True for whatever keeps a statement from being run that is right in itself: lost sessions, timeouts, a full pool, a
    /// deadlock. The worker's statements are all repeated safely, so every failure of PostgreSQL counts.
    /// </summary>
    public static bool Explains(Exception failure) =>
        failure is NpgsqlException or TimeoutException or SocketException or IOException or ObjectDisposedException
        || failure is InvalidOperationException { InnerException: NpgsqlException };
}
