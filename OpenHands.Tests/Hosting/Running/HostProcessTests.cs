using System.Net.Sockets;
using OpenHands.Tests.Hosting.Servers;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Hosting.Running;

/// <summary>The AppHost as a program: how it starts, how it ends, and what is left of it.</summary>
public sealed class HostProcessTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task It_stops_everything_in_order_when_told_to(string signal)
    {
        await using var host = HostProcess.Start(Arguments("data"));
        await host.ReadyAsync();

        host.Signal(signal);

        Assert.Equal(0, await host.EndAsync());
        Assert.Empty(host.Remaining());
        var output = host.Output;
        Assert.True(Position("api-", "Exited") < Position("postgres-", "Stopping"), output);
        Assert.True(Position("worker-", "Exited") < Position("redis-", "Stopping"), output);
        Assert.Contains("OpenHands has stopped.", output, StringComparison.Ordinal);

        int Position(string resource, string state) =>
            output.Split('\n').ToList().FindLastIndex(line => line.StartsWith(resource, StringComparison.Ordinal) && line.Contains(state, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_killed_host_leaves_no_process_and_the_next_one_starts_on_its_data()
    {
        await using (var host = HostProcess.Start(Arguments("data")))
        {
            await host.ReadyAsync();
            host.Signal("KILL");
            await host.EndAsync();
            await Eventually.TrueAsync("nothing is left running", () => host.Remaining().Count == 0);
        }

        await using var next = HostProcess.Start(Arguments("data"));
        await next.ReadyAsync();
    }

    [Fact]
    public async Task A_killed_dotnet_run_takes_everything_along_and_the_dashboard_that_it_named()
    {
        await using var host = HostProcess.StartByDotnetRun([.. Arguments("data"), "--Dashboard:Enabled=true", $"--Ports:Dashboard={HostProcess.FreePort()}"]);
        await host.ReadyAsync();
        await Eventually.TrueAsync("the link is printed", () => host.Output.Contains("\nDashboard: http://localhost:", StringComparison.Ordinal));
        var link = host.Output.Split('\n').Single(line => line.StartsWith("Dashboard: ", StringComparison.Ordinal))["Dashboard: ".Length..];
        using var browser = new HttpClient();
        Assert.Contains("blazor.web", await browser.GetStringAsync(new Uri(link), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        host.Signal("KILL");

        await host.EndAsync();
        await Eventually.TrueAsync("nothing is left running", () => host.Remaining().Count == 0);
    }

    [Fact]
    public async Task A_taken_port_is_named_with_what_to_do()
    {
        using var taken = new TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;

        await using var host = HostProcess.Start($"--Ports:Api={port}", $"--Data:Directory={_folder["data"]}", "--Dashboard:Enabled=false");

        Assert.Equal(1, await host.EndAsync());
        Assert.Contains($"Port {port} for 'api' cannot be used", host.Output, StringComparison.Ordinal);
        Assert.Contains("--Ports:Api=", host.Output, StringComparison.Ordinal);
        Assert.Empty(host.Remaining());
    }

    [Fact]
    public async Task A_second_instance_runs_beside_the_first_on_other_data_and_is_refused_on_the_same()
    {
        await using var first = HostProcess.Start(Arguments("data"));
        await first.ReadyAsync();

        await using (var intruder = HostProcess.Start(Arguments("data")))
        {
            Assert.Equal(1, await intruder.EndAsync());
            Assert.Contains("--Data:Directory", intruder.Output, StringComparison.Ordinal);
            await Eventually.TrueAsync("nothing of the second is left", () => intruder.Remaining().Count == 0);
        }

        await using var second = HostProcess.Start(Arguments("other"));
        var addresses = new[] { await first.ReadyAsync(), await second.ReadyAsync() };
        using var client = new HttpClient();
        foreach (var address in addresses)
        {
            Assert.Contains("Healthy", await client.GetStringAsync(new Uri(address, "/health"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Help_lists_the_options_and_starts_nothing()
    {
        await using var host = HostProcess.Start("--help");

        Assert.Equal(0, await host.EndAsync());
        foreach (var option in new[]
        {
            "--Ports:Api", "--Ports:Postgres", "--Ports:Redis", "--Ports:Dashboard", "--Data:Directory",
            "--Parameters:postgres-password", "--Parameters:redis-password", "--Postgres:Source", "--Redis:Source",
        })
        {
            Assert.Contains(option, host.Output, StringComparison.Ordinal);
        }
    }

    private string[] Arguments(string data) => [$"--Ports:Api={HostProcess.FreePort()}", $"--Data:Directory={_folder[data]}", "--Dashboard:Enabled=false"];
}
