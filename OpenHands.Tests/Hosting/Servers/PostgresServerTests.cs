using System.Net;
using System.Net.Sockets;
using Npgsql;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Provisioning;
using OpenHands.Hosting.Servers;
using OpenHands.Tests.Hosting.Provisioning;

namespace OpenHands.Tests.Hosting.Servers;

public sealed class PostgresServerTests(ServerCache cache) : IDisposable
{
    private const string Password = "a 'strange' \"one\" \\ü";

    private readonly TestFolder _folder = new();

    private string Data => _folder["postgres/data"];

    [Fact]
    public async Task It_starts_without_root_asks_for_the_password_and_keeps_its_data()
    {
        var options = Options();
        using (var server = new PostgresServer(options))
        {
            await using var first = await RunningServer.PrepareAndStartAsync(server);
            Assert.NotEqual(0u, await first.UserIdAsync());
            await ExecuteAsync(options, "CREATE TABLE kept AS SELECT 42 AS answer");
            var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(options with { Password = "wrong" }, "SELECT 1"));
            Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);

            await first.Process.StopAsync();
            Assert.Equal(0, await first.Process.Exited);
        }

        using var again = new PostgresServer(options);
        await using var second = await RunningServer.PrepareAndStartAsync(again);
        Assert.Equal(42, await ExecuteAsync(options, "SELECT answer FROM kept"));
        Assert.Equal("off", await ExecuteAsync(options, "SHOW jit"));
        Assert.Equal("on", await ExecuteAsync(options, "SHOW fsync"));
        Assert.Equal("", await ExecuteAsync(options, "SHOW unix_socket_directories"));
        Assert.Equal("UTF8", await ExecuteAsync(options, "SHOW server_encoding"));
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_clients()
    {
        var options = Options(throwaway: true);
        using var server = new PostgresServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(server);
        await using var client = new NpgsqlConnection(ConnectionString(options));
        await client.OpenAsync(TestContext.Current.CancellationToken);

        await running.Process.StopAsync().WaitAsync(TimeSpan.FromSeconds(9), TestContext.Current.CancellationToken);

        Assert.Equal(0, await running.Process.Exited);
    }

    [Fact]
    public async Task After_a_crash_it_starts_again_with_everything_that_was_committed()
    {
        var options = Options();
        using var server = new PostgresServer(options);
        await using var first = await RunningServer.PrepareAndStartAsync(server);
        await ExecuteAsync(options, "CREATE TABLE kept AS SELECT 42 AS answer");

        await first.CrashAsync();

        await using var second = await RunningServer.StartAsync(server);
        Assert.Equal(42, await ExecuteAsync(options, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_stale_pid_file_whose_number_another_process_has_now_does_not_stop_it()
    {
        var options = Options();
        using var server = new PostgresServer(options);
        await using var first = await RunningServer.PrepareAndStartAsync(server);
        await first.CrashAsync();

        // PostgreSQL itself refuses only when the other process has its own account.
        await using var other = GuardedProcess.Start(new()
        {
            FileName = "sleep",
            Arguments = ["1000"],
            Account = await ServerAccount.ChooseAsync(["/"], TestContext.Current.CancellationToken),
        });
        var pidFile = Path.Combine(Data, "postmaster.pid");
        var lines = File.ReadAllLines(pidFile);
        lines[0] = (await other.ProcessId).ToString();
        File.WriteAllLines(pidFile, lines);

        await using var second = await RunningServer.StartAsync(server);
        Assert.Equal(1, await ExecuteAsync(options, "SELECT 1"));
        Assert.False(other.Exited.IsCompleted);
    }

    [Fact]
    public async Task A_server_that_outlived_its_host_and_its_guard_is_stopped_first()
    {
        var options = Options();
        using (var server = new PostgresServer(options))
        {
            await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
        }

        await using var orphan = await StartBesideAsync(options.Port, Path.Combine(options.DataDirectory, "server.lock"));
        var lines = new List<string>();
        using var again = new PostgresServer(options);
        await again.PrepareAsync(lines.Add, TestContext.Current.CancellationToken);

        Assert.Contains(lines, line => line.Contains("earlier run", StringComparison.Ordinal));
        Assert.Equal(0, await orphan.Exited.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await using var running = await RunningServer.StartAsync(again);
        Assert.Equal(1, await ExecuteAsync(options, "SELECT 1"));
    }

    [Fact]
    public async Task A_server_that_somebody_else_runs_on_the_data_is_left_alone()
    {
        var options = Options();
        using (var server = new PostgresServer(options))
        {
            await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
        }

        await using var other = await StartBesideAsync(options.Port, lockFile: null);
        using var again = new PostgresServer(options);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => again.PrepareAsync(_ => { }, TestContext.Current.CancellationToken));

        Assert.Contains($"process {await other.ProcessId}", refused.Message);
        Assert.False(other.Exited.IsCompleted);
    }

    [Fact]
    public async Task A_data_directory_that_only_the_caller_can_enter_works()
    {
        using var closed = new TestFolder(TestFolder.OnlyOwner);
        var options = Options() with { DataDirectory = closed["postgres"] };
        using var server = new PostgresServer(options);

        await using var running = await RunningServer.PrepareAndStartAsync(server);

        Assert.Equal(1, await ExecuteAsync(options, "SELECT 1"));
        await running.Process.StopAsync();
        Assert.Equal(0, await running.Process.Exited);
    }

    [Fact]
    public async Task Data_of_another_account_is_taken_over_when_the_directory_is_opened_to_it()
    {
        using var closed = new TestFolder(TestFolder.OnlyOwner);
        var options = Options() with { DataDirectory = closed["postgres"] };
        using (var server = new PostgresServer(options))
        {
            await using var first = await RunningServer.PrepareAndStartAsync(server);
            await ExecuteAsync(options, "CREATE TABLE kept AS SELECT 42 AS answer");
        }

        File.SetUnixFileMode(closed.Path, TestFolder.Everyone);

        using var again = new PostgresServer(options);
        await using var second = await RunningServer.PrepareAndStartAsync(again);
        Assert.NotEqual(0u, await second.UserIdAsync());
        Assert.Equal(42, await ExecuteAsync(options, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_second_host_on_the_same_directory_is_refused_until_the_first_has_stopped()
    {
        var options = Options();
        using var first = new PostgresServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(first);
        using var second = new PostgresServer(options with { Port = RunningServer.FreePort() });

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => second.PrepareAsync(_ => { }, TestContext.Current.CancellationToken));
        Assert.Contains($"process {Environment.ProcessId}", refused.Message);
        Assert.Contains("--Data:Directory", refused.Message);

        await running.Process.StopAsync();
        await second.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_port_that_is_taken_is_named_with_the_setting_that_changes_it(string address)
    {
        Assert.SkipUnless(LoopbackPort.Addresses.Contains(IPAddress.Parse(address)), "This machine has no such loopback address.");
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        var options = Options(throwaway: true) with { Port = ((IPEndPoint)listener.LocalEndpoint).Port };
        using var server = new PostgresServer(options);
        await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);

        var refused = Assert.Throws<InvalidOperationException>(() => server.Start((_, _) => { }));

        Assert.Contains($"port {options.Port}", refused.Message);
        Assert.Contains("--Ports:Postgres", refused.Message);
    }

    [Fact]
    public async Task Throwaway_data_is_gone_after_a_stop_but_not_after_a_crash()
    {
        var options = Options(throwaway: true);
        using var server = new PostgresServer(options);
        await using var first = await RunningServer.PrepareAndStartAsync(server);
        Assert.Equal("off", await ExecuteAsync(options, "SHOW fsync"));

        await first.CrashAsync();
        Assert.True(Directory.Exists(Data));

        await using var second = await RunningServer.StartAsync(server);
        await second.Process.StopAsync();
        Assert.False(Directory.Exists(options.DataDirectory));
    }

    [Fact]
    public async Task Data_of_another_major_version_is_refused_with_what_to_do()
    {
        var options = Options();
        using var server = new PostgresServer(options);
        await server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken);
        File.WriteAllText(Path.Combine(Data, "PG_VERSION"), "8\n");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => server.PrepareAsync(_ => { }, TestContext.Current.CancellationToken));

        Assert.Contains("needs version 8", refused.Message);
        Assert.Contains("--Postgres:Source", refused.Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_interrupted_preparation_leaves_nothing_half_made_and_can_be_repeated(bool throwaway)
    {
        var options = Options(throwaway);
        using var interrupted = new CancellationTokenSource();
        using (var server = new PostgresServer(options))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => server.PrepareAsync(
                line =>
                {
                    if (line.Contains("creating", StringComparison.Ordinal))
                    {
                        interrupted.CancelAfter(TimeSpan.FromMilliseconds(150));
                    }
                },
                interrupted.Token));
        }

        Assert.Equal(!throwaway, Directory.Exists(options.DataDirectory));
        if (!throwaway)
        {
            Assert.Empty(Directory.GetDirectories(options.DataDirectory));
            Assert.DoesNotContain(Directory.GetFiles(options.DataDirectory), file => file.EndsWith("password", StringComparison.Ordinal));
        }

        using var again = new PostgresServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(again);
        Assert.Equal(1, await ExecuteAsync(options, "SELECT 1"));
    }

    [Fact]
    public async Task Provisioned_programs_serve_on_a_machine_without_PostgreSQL()
    {
        var options = Options(throwaway: true) with { Source = "provisioned" };
        using var server = new PostgresServer(options);
        await using var running = await RunningServer.PrepareAndStartAsync(server);

        var path = File.ReadAllText($"/proc/{await running.Process.ProcessId}/cmdline").Split('\0')[0];

        Assert.StartsWith(cache.Path, path);
        Assert.Equal("ready", await ExecuteAsync(options, "SELECT 'ready'"));
        Assert.Equal("1 day", await ExecuteAsync(options, "SELECT (timestamptz '2026-03-30 12:00 Europe/Berlin' - timestamptz '2026-03-29 12:00 Europe/Berlin')::text"));
    }

    public void Dispose() => _folder.Dispose();

    private PostgresServerOptions Options(bool throwaway = false) => new()
    {
        CacheDirectory = cache.Path,
        DataDirectory = _folder["postgres"],
        Port = RunningServer.FreePort(),
        Password = Password,
        Throwaway = throwaway,
    };

    /// <summary>Starts the server on the data as nothing of ours would, but for the lock that it has inherited.</summary>
    private async Task<GuardedProcess> StartBesideAsync(int port, string? lockFile)
    {
        var binaries = await ServerBinaries.FindAsync(ServerProduct.Postgres, ServerSource.Parse(null, ""), cache.Path, null, _ => { }, TestContext.Current.CancellationToken);
        var ready = new TaskCompletionSource();
        var process = GuardedProcess.Start(new()
        {
            FileName = binaries.Server,
            Arguments = ["-D", Data, "-p", port.ToString(), "-c", "unix_socket_directories="],
            Environment = binaries.Environment,
            Account = await ServerAccount.ChooseAsync([binaries.Folder, Data], TestContext.Current.CancellationToken),
            LockFile = lockFile,
            StopSignal = "INT",
            Output = (line, _) =>
            {
                if (line.Contains("ready to accept", StringComparison.Ordinal))
                {
                    ready.TrySetResult();
                }
            },
        });
        await Task.WhenAny(ready.Task, process.Exited).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.True(ready.Task.IsCompleted);
        return process;
    }

    private static string ConnectionString(PostgresServerOptions options) => new NpgsqlConnectionStringBuilder
    {
        Host = "localhost",
        Port = options.Port,
        Username = options.UserName,
        Password = options.Password,
        Pooling = false,
    }.ConnectionString;

    private static async Task<object?> ExecuteAsync(PostgresServerOptions options, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString(options));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
