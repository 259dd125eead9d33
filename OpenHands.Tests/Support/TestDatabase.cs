using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OpenHands.Storage;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Tests.Support;

/// <summary>A database of its own for a test class, reached as each of the three roles.</summary>
public sealed class TestDatabase(string server, string name)
{
    private AuditLog? _audit;

    // Seconds. The tests share two busy cores with the server; the product's own bounds are tested where they matter.
    private int _patience = 15;

    public string Name => name;

    /// <summary>The same database through a relay, with the bounds of the product: what a worker sees that can be cut off.</summary>
    internal TestDatabase Through(TcpRelay relay) =>
        new(new NpgsqlConnectionStringBuilder(server) { Host = "127.0.0.1", Port = relay.Port }.ConnectionString, name) { _patience = 1 };

    /// <summary>Where the server listens.</summary>
    internal int Port => new NpgsqlConnectionStringBuilder(server).Port;

    public string Administrator => new NpgsqlConnectionStringBuilder(server) { Database = name, Pooling = false }.ConnectionString;

    public string App => As("openhands_app", DatabaseServer.AppPassword);

    public string System => As("openhands_system", DatabaseServer.SystemPassword);

    /// <summary>The three connection strings as the migration step gets them.</summary>
    public MigrationConnections Connections => ConnectionsWith(App);

    public MigrationConnections ConnectionsWith(string app) => MigrationConnections.From(new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:openhands-admin"] = Administrator,
            ["ConnectionStrings:openhands"] = app,
            ["ConnectionStrings:openhands-system"] = System,
        })
        .Build());

    public Task<IReadOnlyList<string>> MigrateAsync() =>
        new DatabaseMigrator(Connections, TimeProvider.System, NullLogger<DatabaseMigrator>.Instance).MigrateAsync();

    /// <summary>A context as the services have it: role openhands_app, no retry, and the tenant of its scope; null for none.</summary>
    public OpenHandsDb Open(string? userId = null, string? organizationId = null)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(App).UseOpenHandsDb();
        var tenant = new TenantContext();
        if (userId is not null)
            tenant.Enter(userId, organizationId);
        return new OpenHandsDb(options.Options) { Tenant = tenant };
    }

    /// <summary>Connections for what is written by hand.</summary>
    public DatabasePool Pool => new(DatabaseConnection.WithBounds(App));

    /// <summary>The audit log of a process.</summary>
    internal AuditLog Audit => _audit ??= new(new DatabasePool(App), TimeProvider.System);

    /// <summary>All rows of a query, run as the administrator, each as one line of text.</summary>
    public async Task<IReadOnlyList<string>> QueryAsync(string query)
    {
        await using var connection = new NpgsqlConnection(Administrator);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(query, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<string>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => reader.GetValue(column))));
        return rows;
    }

    private string As(string role, string password) => new NpgsqlConnectionStringBuilder(server)
    {
        Database = name,
        Username = role,
        Password = password,
        Timeout = _patience,
        CommandTimeout = _patience,
        // Nobody comes back to the database of a test that has ended: its idle connections must not fill the server.
        ConnectionIdleLifetime = 5,
        ConnectionPruningInterval = 1,
    }.ConnectionString;
}
