using System.Net;
using System.Net.Sockets;
using System.Text;
using OpenHands.Hosting.Orchestration;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Hosting.Orchestration;

public sealed class EndpointProxyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Healthy_replicas_are_asked_in_turn_and_unhealthy_ones_are_not()
    {
        await using var a = Upstream.Named("a");
        await using var b = Upstream.Named("b");
        await using var ill = Upstream.Named("ill");
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(a.Port, healthy: true);
        proxy.SetTarget(b.Port, healthy: true);
        proxy.SetTarget(ill.Port, healthy: false);
        var first = await AskAsync(proxy);
        var second = await AskAsync(proxy);
        Assert.Equal(["a", "b"], new[] { first, second }.Order());
        Assert.Equal([first, second, first], [await AskAsync(proxy), await AskAsync(proxy), await AskAsync(proxy)]);
    }

    [Fact]
    public async Task When_no_replica_is_healthy_an_unhealthy_one_answers_for_itself()
    {
        await using var ill = Upstream.Named("ill");
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(ill.Port, healthy: false);
        Assert.Equal("ill", await AskAsync(proxy));
    }

    [Fact]
    public async Task A_replica_that_recovers_is_asked_again()
    {
        await using var a = Upstream.Named("a");
        await using var b = Upstream.Named("b");
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(a.Port, healthy: true);
        proxy.SetTarget(b.Port, healthy: false);
        Assert.Equal(["a", "a"], [await AskAsync(proxy), await AskAsync(proxy)]);
        proxy.SetTarget(b.Port, healthy: true);
        Assert.Equal(["a", "b"], new[] { await AskAsync(proxy), await AskAsync(proxy) }.Order());
    }

    [Fact]
    public async Task A_removed_replica_is_not_asked()
    {
        await using var a = Upstream.Named("a");
        await using var b = Upstream.Named("b");
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(a.Port, healthy: true);
        proxy.SetTarget(b.Port, healthy: true);
        proxy.RemoveTarget(a.Port);
        Assert.Equal(["b", "b"], [await AskAsync(proxy), await AskAsync(proxy)]);
    }

    [Fact]
    public async Task Without_replicas_a_connection_is_ended_at_once()
    {
        await using var proxy = new EndpointProxy(0);
        Assert.Equal("", await AskAsync(proxy));
    }

    [Fact]
    public async Task A_replica_that_refuses_connections_is_passed_over()
    {
        using var gone = new ClosedPort();
        await using var alive = Upstream.Named("alive");
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(gone.Number, healthy: true);
        proxy.SetTarget(alive.Port, healthy: true);
        Assert.Equal(["alive", "alive"], [await AskAsync(proxy), await AskAsync(proxy)]);
    }

    [Fact]
    public async Task A_caller_that_has_said_everything_still_hears_the_answer()
    {
        await using var repeating = Upstream.Repeating();
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(repeating.Port, healthy: true);
        using var client = await Loopback.ConnectAsync(IPAddress.Loopback, proxy.Port);
        var said = new string('x', 1_000_000);
        await client.SendAsync(Encoding.UTF8.GetBytes(said), Token);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(said, await Loopback.ReadAsync(client));
    }

    [Fact]
    public async Task A_connection_that_the_replica_breaks_off_ends_for_the_caller_too()
    {
        await using var breaking = Upstream.Breaking();
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(breaking.Port, healthy: true);
        using var client = await Loopback.ConnectAsync(IPAddress.Loopback, proxy.Port);
        await client.SendAsync(new byte[1], Token);
        Assert.Equal(0, await ReceiveAsync(client));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task It_listens_on_both_loopback_addresses(string address)
    {
        await using var upstream = Upstream.Named("here");
        await using var proxy = new EndpointProxy(0);
        proxy.SetTarget(upstream.Port, healthy: true);
        using var client = await Loopback.ConnectAsync(IPAddress.Parse(address), proxy.Port);
        Assert.Equal("here", await Loopback.ReadAsync(client));
    }

    [Fact]
    public async Task A_port_that_was_asked_for_and_is_taken_is_refused()
    {
        await using var first = new EndpointProxy(0);
        var exception = Assert.Throws<SocketException>(() => new EndpointProxy(first.Port));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }

    [Fact]
    public async Task Disposing_ends_open_connections_on_both_sides_and_frees_the_port()
    {
        var accepted = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var silent = Upstream.Silent(accepted, ended);
        var proxy = new EndpointProxy(0);
        proxy.SetTarget(silent.Port, healthy: true);
        using var client = await Loopback.ConnectAsync(IPAddress.Loopback, proxy.Port);
        await accepted.Task.WaitAsync(Token);
        await proxy.DisposeAsync();
        Assert.Equal(0, await ReceiveAsync(client));
        await ended.Task.WaitAsync(Token);
        await using var again = new EndpointProxy(proxy.Port);
        Assert.Equal(proxy.Port, again.Port);
    }

    private static async Task<string> AskAsync(EndpointProxy proxy)
    {
        using var client = await Loopback.ConnectAsync(IPAddress.Loopback, proxy.Port);
        return await Loopback.ReadAsync(client);
    }

    /// <summary>Zero when the connection has ended, however it did.</summary>
    private static async Task<int> ReceiveAsync(Socket client)
    {
        try
        {
            return await client.ReceiveAsync(new byte[1], Token);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }
}
