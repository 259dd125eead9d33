namespace OpenHands.Hosting.Servers;

/// <summary>How a PostgreSQL server runs on this machine.</summary>
internal sealed record PostgresServerOptions
{
    /// <summary>Where its programs come from: null or <c>auto</c> (search), <c>provisioned</c>, or the absolute path of a folder.</summary>
    public string? Source { get; init; }

    /// <summary>The host's cache directory, for programs that have to be fetched.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>The directory that belongs to this server: its data and its lock files.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The TCP port on the loopback addresses.</summary>
    public required int Port { get; init; }

    /// <summary>The superuser of a new database cluster.</summary>
    public string UserName { get; init; } = "postgres";

    /// <summary>The superuser's password in a new database cluster.</summary>
    public required string Password { get; init; }

    /// <summary>How many connections it accepts at a time.</summary>
    public int MaxConnections { get; init; } = 200;

    /// <summary>True: speed before safety, and the directory is removed when the server is stopped or the host dies.</summary>
    public bool Throwaway { get; init; }
}
