using Npgsql;
using OpenHands.Tests.Support;
#if !ASPIRE_PACKAGES
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using OpenHands.Tests.Hosting.Servers;
#endif

[assembly: AssemblyFixture(typeof(DatabaseServer))]

namespace OpenHands.Tests.Support;

/// <summary>One throw-away PostgreSQL for all tests of the run, started when the first asks for it.</summary>
public sealed class DatabaseServer : IAsyncDisposable
{
    private const string Template = "openhands_template";

    private readonly Lazy<Task<string>> _administrator;

    private readonly bool _durable;

    public DatabaseServer() : this(durable: false)
    {
    }

    /// <summary>A server of a test's own; a durable one waits for its disk, as one in production does.</summary>
    internal DatabaseServer(bool durable)
    {
        _durable = durable;
        _administrator = new(StartAsync);
    }

    /// <summary>Passwords that a test may look for where they must not be.</summary>
    public static string AppPassword => "app-password-of-the-tests";

    public static string SystemPassword => "system-password-of-the-tests";

    /// <summary>Connection string of the superuser.</summary>
    public Task<string> AdministratorAsync() => _administrator.Value;

    /// <summary>Makes an empty database, not migrated, and gives back its three connection strings.</summary>
    public async Task<TestDatabase> CreateEmptyAsync() => await CreateAsync("");

    /// <summary>Makes a migrated database and gives back its three connection strings.</summary>
    public async Task<TestDatabase> CreateMigratedAsync() => await CreateAsync($"TEMPLATE {Template}");

    private async Task<TestDatabase> CreateAsync(string template)
    {
        var database = new TestDatabase(await AdministratorAsync(), $"test_{Guid.CreateVersion7():n}");
        await ExecuteAsync(await AdministratorAsync(), $"CREATE DATABASE {database.Name} {template}");
        return database;
    }

    private static async Task<string> MigrateTemplateAsync(string administrator)
    {
        await new TestDatabase(administrator, Template).MigrateAsync();
        return administrator;
    }

    private static async Task ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

#if ASPIRE_PACKAGES
    // Without the embedded host somebody else has to run the server.
    private static Task<string> StartAsync() => MigrateTemplateAsync(
        Environment.GetEnvironmentVariable("TEST_POSTGRES")
        ?? throw new InvalidOperationException("Set TEST_POSTGRES to the connection string of a PostgreSQL superuser."));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
#else
    /// <summary>Where the server keeps everything: heap, write-ahead log and its own log.</summary>
    internal string DataDirectory => _folder["postgres"];

    private readonly TestFolder _folder = new();
    private PostgresServer? _server;
    private RunningServer? _running;

    private async Task<string> StartAsync()
    {
        var options = new PostgresServerOptions
        {
            CacheDirectory = HostDirectories.Find().Cache,
            DataDirectory = _folder["postgres"],
            Port = RunningServer.FreePort(),
            Password = "superuser-of-the-tests",
            // Every database has pools of its own, and many classes run beside each other.
            MaxConnections = 500,
            Throwaway = !_durable,
        };
        _server = new PostgresServer(options);
        _running = await RunningServer.PrepareAndStartAsync(_server);
        return await MigrateTemplateAsync(
            $"Host=127.0.0.1;Port={options.Port};Username={options.UserName};Password={options.Password};Database=postgres");
    }

    /// <summary>Kills a server of a test's own the hard way.</summary>
    internal Task CrashAsync() => _running!.CrashAsync(); // started with its first database

    /// <summary>Starts it again on the same port and data.</summary>
    internal async Task StartAgainAsync()
    {
        await _running!.DisposeAsync();
        _running = await RunningServer.StartAsync(_server!);
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is not null)
            await _running.DisposeAsync();
        _server?.Dispose();
        _folder.Dispose();
    }
#endif
}
