using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Servers;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;

namespace OpenHands.Benchmarks.Measuring;

/// <summary>A throw-away PostgreSQL with our schema, for the time of one benchmark. Disposing it ends the server.</summary>
internal sealed class BenchmarkDatabase : IAsyncDisposable
{
    private const string Name = "openhands";

    private readonly DirectoryInfo _folder;
    private readonly PostgresServer _server;
    private GuardedProcess _process;

    private BenchmarkDatabase(DirectoryInfo folder, PostgresServer server, GuardedProcess process, string administrator)
    {
        (_folder, _server, _process) = (folder, server, process);
        Administrator = administrator;
    }

    /// <summary>Connection string of the superuser, whom no policy holds.</summary>
    public string Administrator { get; }

    /// <summary>Connection string of the role that API and handlers have.</summary>
    public string App => As("openhands_app");

    /// <summary>Connection string of the role that the worker's maintenance has.</summary>
    public string System => As("openhands_system");

    /// <summary>Starts a server and makes our schema in it.</summary>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <param name="durability">For what a commit waits.</param>
    public static async Task<BenchmarkDatabase> StartAsync(CancellationToken cancellationToken, Durability durability = Durability.None)
    {
        var folder = durability == Durability.Memory
            ? Directory.CreateDirectory($"/dev/shm/openhands-benchmark-{Guid.CreateVersion7():n}")
            : Directory.CreateTempSubdirectory("openhands-benchmark-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101); // the server may have another account
        var options = new PostgresServerOptions
        {
            CacheDirectory = HostDirectories.Find().Cache,
            DataDirectory = Path.Combine(folder.FullName, "postgres"),
            Port = FreePort(),
            Password = $"{Guid.CreateVersion7():n}",
            Throwaway = durability == Durability.None,
        };
        var server = new PostgresServer(options);
        await server.PrepareAsync(Console.Error.WriteLine, cancellationToken);
        var process = await StartAsync(server, cancellationToken);
        var database = new BenchmarkDatabase(
            folder, server, process, $"Host=127.0.0.1;Port={options.Port};Username={options.UserName};Password={options.Password};Database={Name}");
        await database.MigrateAsync(cancellationToken);
        return database;
    }

    /// <summary>Processor time until now of the server and all its processes, also of those that have ended.</summary>
    public TimeSpan Cpu()
    {
        var server = _process.ProcessId.Result; // it runs
        return File.ReadAllText($"/proc/{server}/task/{server}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Aggregate(CpuOf($"{server}", withEnded: true), (sum, child) => sum + CpuOf(child, withEnded: false));
    }

    // To the nanosecond what runs, as the first field of schedstat (Documentation/scheduler/sched-stats.rst); to the hundredth of a second
    // what was waited for, as the 16th and 17th field of stat (proc(5)).
    private static TimeSpan CpuOf(string process, bool withEnded)
    {
        try
        {
            var own = TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText($"/proc/{process}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e3);
            return withEnded ? own + EndedOf(process) : own;
        }
        catch (IOException)
        {
            return TimeSpan.Zero; // ended this moment
        }
    }

    private static TimeSpan EndedOf(string process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        return TimeSpan.FromMilliseconds(
            10 * stat[(stat.LastIndexOf(')') + 2)..].Split(' ').Skip(13).Take(2).Sum(field => long.Parse(field, CultureInfo.InvariantCulture)));
    }

    /// <summary>Kills the server the hard way.</summary>
    public async Task CrashAsync()
    {
        Process.GetProcessById(await _process.ProcessId).Kill();
        await _process.Exited;
        await _process.DisposeAsync();
    }

    /// <summary>Starts it again on the same port and data.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken) => _process = await StartAsync(_server, cancellationToken);

    private static async Task<GuardedProcess> StartAsync(PostgresServer server, CancellationToken cancellationToken)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = server.Start((line, _) =>
        {
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
                ready.TrySetResult();
        });
        await Task.WhenAny(ready.Task, process.Exited).WaitAsync(cancellationToken);
        return process;
    }

    /// <summary>A context with the product's own options.</summary>
    public static OpenHandsDb Open(string connectionString)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(connectionString).UseOpenHandsDb();
        return new OpenHandsDb(options.Options);
    }

    /// <summary>Runs statements as the superuser.</summary>
    public async Task ExecuteAsync(string statements, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(Administrator + ";Pooling=false"); // one from before a crash would be dead
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(statements, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _server.Dispose();
        if (_folder.Exists)
            _folder.Delete(recursive: true);
    }

    private Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken)
    {
        var connections = MigrationConnections.From(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:openhands-admin"] = Administrator,
                ["ConnectionStrings:openhands"] = App,
                ["ConnectionStrings:openhands-system"] = System,
            })
            .Build());
        return new DatabaseMigrator(connections, TimeProvider.System, NullLogger<DatabaseMigrator>.Instance).MigrateAsync(cancellationToken);
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private string As(string role) => new NpgsqlConnectionStringBuilder(Administrator) { Username = role, Password = role }.ConnectionString;
}
