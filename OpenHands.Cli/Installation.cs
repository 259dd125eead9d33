using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage.Secrets;
using StackExchange.Redis;

namespace OpenHands.Cli;

/// <summary>
/// How an installation is reached: the same connection strings that its processes get, from the environment, or from the data
/// directory of an application that runs under the embedded host.
/// </summary>
internal sealed class Installation
{
    private Installation(IConfiguration configuration, string? appData) => (Configuration, AppData) = (configuration, appData);

    /// <summary>Everything that is configured.</summary>
    public IConfiguration Configuration { get; }

    /// <summary>The embedded host's data directory; null where the environment names the servers.</summary>
    public string? AppData { get; }

    /// <summary>Connection string of the owner, who sees all tenants.</summary>
    public string Administrator => Required("openhands-admin");

    /// <summary>Connection string of the role <c>openhands_app</c>.</summary>
    public string App => Required("openhands");

    /// <summary>Connection string of the role <c>openhands_system</c>.</summary>
    public string System => Required("openhands-system");

    /// <summary>Connection string of Redis; null when none is given.</summary>
    public string? Redis => Configuration.GetConnectionString("redis");

    /// <summary>The key ring.</summary>
    public KeyRing Keys => KeyRing.From(Configuration);

    /// <summary>Reads the settings, null for the environment, and over them the data directory.</summary>
    /// <exception cref="OperatorException">The directory is not that of an embedded host, or it does not run.</exception>
    public static Installation Find(DirectoryInfo? appData, IReadOnlyDictionary<string, string?>? settings)
    {
        var builder = new ConfigurationBuilder();
        if (settings is null)
            builder.AddEnvironmentVariables();
        else
            builder.AddInMemoryCollection(settings);
        if (appData is not null)
        {
            builder.AddInMemoryCollection(FromHost(appData.FullName));
            if (builder.Build().GetConnectionString("redis") is null && RedisOfHost(appData.FullName) is { } redis)
                builder.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis });
        }

        return new Installation(builder.Build(), appData?.FullName);
    }

    /// <summary>Opens a connection without a pool.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0, ApplicationName = "openhands operator" }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    private string Required(string name) => Configuration.GetConnectionString(name) is { Length: > 0 } value
        ? value
        : throw new OperatorException($"This needs the connection string {name}: set ConnectionStrings__{name} (env 'ConnectionStrings__{name}=…' …), or pass --app-data <folder>.");

    // The embedded host keeps generated values here, and PostgreSQL its port.
    private static Dictionary<string, string?> FromHost(string folder)
    {
        var parameters = Path.Combine(folder, "parameters.json");
        var pidFile = Path.Combine(folder, "postgres", "data", "postmaster.pid");
        if (!File.Exists(parameters))
            throw new OperatorException($"{folder} is no data directory of the embedded host: there is no parameters.json. Pass the folder that --Data:Directory names, by default /var/lib/openhands or ~/.local/share/openhands.");
        if (!File.Exists(pidFile) || File.ReadLines(pidFile).ElementAtOrDefault(3) is not { } port || !int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw new OperatorException($"PostgreSQL of {folder} does not run: start the application first (dotnet run --project OpenHands.AppHost).");

        var values = Read(parameters);
        var server = $"Host=127.0.0.1;Port={port};Database=openhands";
        return new Dictionary<string, string?>
        {
            ["ConnectionStrings:openhands-admin"] = $"{server};Username=postgres;Password={Value("postgres-password")}",
            ["ConnectionStrings:openhands"] = $"{server};Username=openhands_app;Password={Value("postgres-app-password")}",
            ["ConnectionStrings:openhands-system"] = $"{server};Username=openhands_system;Password={Value("postgres-system-password")}",
            ["ConnectionStrings:secrets"] = Value("secrets-key"),
        };

        string Value(string name) => Environment.GetEnvironmentVariable($"Parameters__{name.Replace('-', '_')}") ?? values.GetValueOrDefault(name)
            ?? throw new OperatorException($"{parameters} has no value {name}: it was given to the AppHost from outside. Set Parameters__{name.Replace('-', '_')} here, too.");
    }

    // Null where another Redis was named to the AppHost, or its files are another account's: then the environment names it.
    private static string? RedisOfHost(string folder)
    {
        const string Port = "port ";
        try
        {
            var port = File.ReadLines(Path.Combine(folder, "redis", "redis.conf")).Single(line => line.StartsWith(Port, StringComparison.Ordinal))[Port.Length..];
            var password = Environment.GetEnvironmentVariable("Parameters__redis_password") ?? Read(Path.Combine(folder, "parameters.json")).GetValueOrDefault("redis-password");
            return new ConfigurationOptions { EndPoints = { $"127.0.0.1:{port}" }, Password = password }.ToString(includePassword: true);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Dictionary<string, string> Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(path)) ?? [];
        }
        catch (JsonException)
        {
            throw new OperatorException($"{path} is not what the embedded host writes there.");
        }
    }
}
