using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OpenHands.Api.Auth;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Auth;

public sealed class CallerAddressTests
{
    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.200.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.0.0.1", true)]
    [InlineData("192.0.2.1", false)]
    [InlineData("::ffff:192.0.2.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("0.0.0.0", false)]
    public void The_connection_itself_must_come_from_this_machine(string peer, bool expected) =>
        Assert.Equal(expected, CallerAddress.IsThisMachine(Request(new IPEndPoint(IPAddress.Parse(peer), 1))));

    [Fact]
    public void A_unix_socket_is_on_this_machine_and_an_unknown_transport_is_not()
    {
        Assert.True(CallerAddress.IsThisMachine(Request(new UnixDomainSocketEndPoint("/tmp/x"))));
        Assert.False(CallerAddress.IsThisMachine(Request(peer: null)));
        Assert.False(CallerAddress.IsThisMachine(new DefaultHttpContext()));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "192.0.2.1", false)]
    [InlineData("X-Forwarded-For", "127.0.0.1, 192.0.2.1", false)]
    [InlineData("X-Forwarded-For", "192.0.2.1:4711", false)]
    [InlineData("X-Forwarded-For", "[2001:db8::1]:4711", false)]
    [InlineData("X-Forwarded-For", "unknown", false)]
    [InlineData("X-Forwarded-For", "127.0.0.1", true)]
    [InlineData("X-Forwarded-For", "[::1]:80, 127.0.0.1:81", true)]
    [InlineData("X-Real-IP", "192.0.2.1", false)]
    [InlineData("Forwarded", "for=\"[2001:db8::17]:4711\";proto=http", false)]
    [InlineData("Forwarded", "proto=http; For=192.0.2.60, for=127.0.0.1", false)]
    [InlineData("Forwarded", "for=_hidden", false)]
    [InlineData("Forwarded", "for=127.0.0.1;by=192.0.2.60", true)]
    public void A_proxy_on_this_machine_that_speaks_for_another_is_told_by_its_headers(string header, string value, bool expected)
    {
        var context = Request(new IPEndPoint(IPAddress.Loopback, 1));
        context.Request.Headers[header] = value;
        Assert.Equal(expected, CallerAddress.IsThisMachine(context));
    }

    [Fact]
    public void No_header_makes_another_machine_this_one()
    {
        var context = Request(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1));
        context.Connection.RemoteIpAddress = IPAddress.Loopback; // what the forwarded-headers middleware does
        context.Request.Headers["X-Forwarded-For"] = "127.0.0.1";
        Assert.False(CallerAddress.IsThisMachine(context));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_forwarded_request_of_another_machine_is_refused_with_what_to_set(bool forwardedHeaders)
    {
        await using var api = await ApiHost.StartAsync([$"ForwardedHeaders_Enabled={forwardedHeaders}"]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/options/agents") { Headers = { { "X-Forwarded-For", "192.0.2.1" } } };

        using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Contains("Identity:AllowRemote", await Problem.AssertAsync(HttpStatusCode.Forbidden, response));
    }

    [Fact]
    public async Task With_remote_callers_allowed_a_forwarded_request_is_the_local_users()
    {
        await using var api = await ApiHost.StartAsync(
            ["ForwardedHeaders_Enabled=true", "Identity:AllowRemote=true"],
            app => app.MapGet("/api/test/address", (HttpContext context) => $"{context.Connection.RemoteIpAddress} {context.User.UserId()}"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/test/address") { Headers = { { "X-Forwarded-For", "192.0.2.1" } } };

        using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);

        // Shows as well that the middleware which rewrites the address was at work in the test above.
        Assert.Equal($"192.0.2.1 {LocalUser.Id}", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static DefaultHttpContext Request(EndPoint? peer)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(new ConnectionPeer(peer));
        context.Connection.RemoteIpAddress = (peer as IPEndPoint)?.Address;
        return context;
    }
}
