using Microsoft.Extensions.Configuration;
using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting;

/// <summary>What the command line and the environment say about the host itself.</summary>
/// <param name="configuration">The AppHost's configuration.</param>
/// <param name="testing">True when a test runs the application: free ports, throw-away data.</param>
internal sealed class HostSettings(IConfiguration configuration, bool testing)
{
    /// <summary>True when a test runs the application.</summary>
    public bool Testing { get; } = testing;

    /// <summary>True when ports that were asked for are ignored, so that several applications run side by side.</summary>
    public bool RandomPorts { get; } = testing;

    /// <summary>True when data is removed at the end of the run.</summary>
    public bool Throwaway { get; } = configuration.GetValue("Data:Throwaway", testing && configuration["Data:Directory"] is null);

    /// <summary>Where provisioned binaries are kept.</summary>
    public string CacheDirectory => Directories.Cache;

    /// <summary>Where data and generated passwords are kept.</summary>
    public string DataDirectory => Directories.Data;

    /// <summary>Where PostgreSQL comes from: null or auto, provisioned, or a folder of binaries.</summary>
    public string? PostgresSource => configuration["Postgres:Source"];

    /// <summary>Where Redis comes from: null or auto, provisioned, or a folder of binaries.</summary>
    public string? RedisSource => configuration["Redis:Source"];

    /// <summary>How long a project may take to stop before it is killed.</summary>
    public TimeSpan GracePeriod => configuration.GetValue("Host:GracePeriod", TimeSpan.FromSeconds(30));

    private HostDirectories Directories => HostDirectories.Find(configuration["Cache:Directory"], configuration["Data:Directory"]);
}
