namespace OpenHands.Hosting.Processes;

/// <summary>Where the host keeps what it downloads (<paramref name="Cache"/>) and what must last (<paramref name="Data"/>).</summary>
internal sealed record HostDirectories(string Cache, string Data)
{
    private const string Name = "openhands";

    /// <summary>
    /// The directories given, else those of the XDG base directory specification, which root has under <c>/var</c>.
    /// Throws when there is neither a home directory nor a setting.
    /// </summary>
    public static HostDirectories Find(string? cache = null, string? data = null) =>
        Find(cache, data, Environment.IsPrivilegedProcess, Environment.GetEnvironmentVariable);

    /// <summary>The same with another user and environment.</summary>
    public static HostDirectories Find(string? cache, string? data, bool isRoot, Func<string, string?> variable) => new(
        Choose(cache, "XDG_CACHE_HOME", "/var/cache", ".cache", isRoot, variable),
        Choose(data, "XDG_DATA_HOME", "/var/lib", ".local/share", isRoot, variable));

    private static string Choose(string? given, string xdg, string forRoot, string inHome, bool isRoot, Func<string, string?> variable)
    {
        if (!string.IsNullOrEmpty(given))
        {
            return Path.GetFullPath(given);
        }

        // The specification tells to ignore relative paths.
        if (variable(xdg) is ['/', ..] directory)
        {
            return Path.Combine(directory, Name);
        }

        if (isRoot)
        {
            return Path.Combine(forRoot, Name);
        }

        return variable("HOME") is ['/', ..] home
            ? Path.Combine(home, inHome, Name)
            : throw new InvalidOperationException($"There is no place for the host's files: neither HOME nor {xdg} names a directory. Set {xdg}.");
    }
}
