namespace OpenHands.Hosting.Servers;

/// <summary>How a Redis server runs on this machine.</summary>
internal sealed record RedisServerOptions
{
    /// <summary>Where its program comes from: null or <c>auto</c> (search), <c>provisioned</c>, or the absolute path of a folder.</summary>
    public string? Source { get; init; }

    /// <summary>The host's cache directory, for a program that has to be fetched.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>The directory that belongs to this server: its data, its configuration and its lock files.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The TCP port on the loopback addresses.</summary>
    public required int Port { get; init; }

    /// <summary>The password; null: none is asked for.</summary>
    public string? Password { get; init; }

    /// <summary>True: nothing is written to disk, and the directory is removed when the server is stopped or the host dies.</summary>
    public bool Throwaway { get; init; }

    /// <summary>Arguments added to the command line, which override the configuration: <c>--save 60 1</c>. No secrets: every user can see them.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];
}
