using Npgsql;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Deployment;

/// <summary>Three PostgreSQL as the production overlay runs them, on ports of this machine.</summary>
internal sealed class PostgresMembers : IAsyncDisposable
{
    /// <summary>With what a shell, SQL and a password file each find special.</summary>
    private const string Password = "su'p\"er :\\$%";
    private const string ReplicationPassword = "re'p :\\$%l";

    private readonly ScriptServers _servers;
    private readonly int[] _ports;
    private readonly string _synchronous;

    private PostgresMembers(ScriptServers servers, int[] ports, string synchronous) => (_servers, _ports, _synchronous) = (servers, ports, synchronous);

    public string Log => _servers.Log;

    /// <summary>As the application names them, for the superuser; without an answer within a second the next one is asked.</summary>
    public string Everybody => new NpgsqlConnectionStringBuilder
    {
        Host = string.Join(',', _ports.Select(port => $"127.0.0.1:{port}")),
        Username = "postgres",
        Password = Password,
        Database = "openhands",
        TargetSessionAttributes = "primary",
    }.ConnectionString;

    public ScriptServers Servers => _servers;

    public static async Task<PostgresMembers> CreateAsync(string synchronous = "on")
    {
        var servers = await ScriptServers.CreateAsync(ServerProduct.Postgres, "postgres/scripts");
        return new PostgresMembers(servers, [RunningServer.FreePort(), RunningServer.FreePort(), RunningServer.FreePort()], synchronous);
    }

    /// <summary>One member, whatever it is.</summary>
    public string Of(int ordinal) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = _ports[ordinal],
        Username = "postgres",
        Password = Password,
        Database = "postgres",
        Pooling = false,
    }.ConnectionString;

    public void Appoint(int ordinal) => _servers.Write("primary", $"{ordinal}\n");

    public void Start(params int[] ordinals)
    {
        foreach (var ordinal in ordinals)
            _servers.Start($"{ordinal}", "run.sh", Environment(ordinal));
    }

    public Task KillAsync(int ordinal) => _servers.KillAsync($"{ordinal}");

    public Task<CommandResult> RunAsync(int ordinal, string script, params string[] arguments) => _servers.RunAsync(script, Environment(ordinal), arguments);

    /// <summary>Waits until a member answers a query with a text.</summary>
    public Task AnswersAsync(int ordinal, string query, string expected) => Eventually.TrueAsync(
        $"member {ordinal} says {expected} to {query}\n{Log}", async () =>
        {
            try
            {
                return await QueryAsync(Of(ordinal), query) == expected;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        });

    public static async Task<string> QueryAsync(string connectionString, string query)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(query, connection);
        return $"{await command.ExecuteScalarAsync(TestContext.Current.CancellationToken)}";
    }

    /// <summary>Empties a member's volume, as a lost disk does.</summary>
    public void LoseVolume(int ordinal) => Directory.Delete(Path.Combine(_servers.Folder($"volume-{ordinal}"), "pgdata"), recursive: true);

    public ValueTask DisposeAsync() => _servers.DisposeAsync();

    private Dictionary<string, string?> Environment(int ordinal) => new()
    {
        ["POSTGRES_MEMBERS"] = string.Join(',', _ports.Select(port => $"127.0.0.1:{port}")),
        ["POSTGRES_ORDINAL"] = $"{ordinal}",
        ["POSTGRES_APPOINTED"] = Path.Combine(_servers.Folder($"volume-{ordinal}"), "../primary"),
        ["POSTGRES_PASSWORD"] = Password,
        ["REPLICATION_PASSWORD"] = ReplicationPassword,
        ["POSTGRES_RUN"] = _servers.Folder($"run-{ordinal}"),
        ["PGDATA"] = Path.Combine(_servers.Folder($"volume-{ordinal}"), "pgdata"),
        ["PGBIN"] = _servers.Programs,
        ["POSTGRES_SYNCHRONOUS"] = _synchronous,
        ["POSTGRES_LISTEN"] = "127.0.0.1",
        ["POSTGRES_LISTEN_FOR_OTHERS"] = "1",
        ["POSTGRES_POLL"] = "0.2",
        ["POSTGRES_WAL_KEEP"] = "64MB",
        ["POSTGRES_MAX_CONNECTIONS"] = "50",
        ["POSTGRES_NO_SYNC"] = "yes",
    };
}
