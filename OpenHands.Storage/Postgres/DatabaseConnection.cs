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
        // Seconds. Long work (migrations, maintenance) sets its own.
        ["Command Timeout"] = 10,
        // Milliseconds that a cancelled command may take to say so before its connection is dropped.
        ["Cancellation Timeout"] = 250,
        ["Max Auto Prepare"] = 50,
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
