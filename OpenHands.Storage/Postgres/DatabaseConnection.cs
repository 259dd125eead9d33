using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>Bounds of every connection of ours, so that a database that is down or hangs is noticed soon and a burst cannot drown it.</summary>
internal static class DatabaseConnection
{
    private static readonly Dictionary<string, object> Bounds = new()
    {
        ["Maximum Pool Size"] = 20,
        // Seconds, for a connect as well as for the wait for a free connection of the pool.
        ["Timeout"] = 1,
        // Seconds until a server that hangs is given up; asking it to cancel takes one more connect. Long work sets its own.
        ["Command Timeout"] = 1,
        // Seconds for what has no command: above all COMMIT, which a busy disk may hold up.
        ["Internal Command Timeout"] = 5,
        // A command that is given up takes its connection with it, whatever it may still answer: PostgreSQL answers "committed" to a commit
        // whose wait for a standby is cancelled, and a failover would then lose what was acknowledged.
        ["Cancellation Timeout"] = -1,
        // Tried before TLS, it doubles the time until a hanging server is noticed; nobody uses it unasked.
        ["GSS Encryption Mode"] = GssEncryptionMode.Disable,
        // Halves the cost of row-level security. Behind a transaction pooler without prepared statements, set it to 0.
        ["Max Auto Prepare"] = 50,
        // Seconds that an answer to "are you the primary" counts, where the connection string names several hosts.
        ["Host Recheck Seconds"] = 1,
        ["Application Name"] = "openhands",
    };

    /// <summary>The connection string with our bounds for everything it does not set itself.</summary>
    public static string WithBounds(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        foreach (var (keyword, value) in Bounds)
        {
            if (!builder.ShouldSerialize(keyword))
                builder[keyword] = value;
        }

        return builder.ConnectionString;
    }
}
