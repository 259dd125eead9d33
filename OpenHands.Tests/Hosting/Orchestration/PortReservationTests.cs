using System.Net;
using System.Net.Sockets;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Hosting.Orchestration;

public sealed class PortReservationTests
{
    private const int Ip = 0;
    private const int LocalPortRange = 51;

    [Fact]
    public void No_two_reservations_have_the_same_port()
    {
        var reservations = Enumerable.Range(0, 200).AsParallel().Select(_ => PortReservation.Any()).ToList();
        try
        {
            Assert.Equal(reservations.Count, reservations.Select(reservation => reservation.Port).Distinct().Count());
        }
        finally
        {
            reservations.ForEach(reservation => reservation.Dispose());
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_server_can_listen_on_a_reserved_port(string address)
    {
        using var reservation = PortReservation.Any();
        using var server = Loopback.Listen(IPAddress.Parse(address), reservation.Port);
        using var client = await Loopback.ConnectAsync(IPAddress.Parse(address), reservation.Port);
        using var accepted = await server.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.True(accepted.Connected);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_port_that_somebody_listens_on_is_refused(string address)
    {
        using var server = Loopback.Listen(IPAddress.Parse(address), 0);
        var exception = Assert.Throws<SocketException>(() => PortReservation.Of(Loopback.PortOf(server)));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }

    [Fact]
    public void A_port_that_was_let_go_can_be_reserved_again()
    {
        int port;
        using (var reservation = PortReservation.Any())
        {
            port = reservation.Port;
        }

        using var again = PortReservation.Of(port);
        Assert.Equal(port, again.Port);
    }

    /// <summary>The kernel is left no other port to choose than the reserved one, and does not give it.</summary>
    [Fact]
    public void Others_who_ask_for_any_port_do_not_get_a_reserved_one()
    {
        using var reservation = PortReservation.Any();
        using var other = OnlyPort(reservation.Port);
        var exception = Assert.Throws<SocketException>(() => other.Bind(new IPEndPoint(IPAddress.Loopback, 0)));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }

    [Fact]
    public async Task Outgoing_connections_do_not_get_a_reserved_port()
    {
        using var server = Loopback.Listen(IPAddress.Loopback, 0);
        using var reservation = PortReservation.Any();
        using var client = OnlyPort(reservation.Port);
        var exception = await Assert.ThrowsAsync<SocketException>(
            () => client.ConnectAsync(IPAddress.Loopback, Loopback.PortOf(server), TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(SocketError.AddressNotAvailable, exception.SocketErrorCode);
    }

    private static Socket OnlyPort(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetRawSocketOption(Ip, LocalPortRange, BitConverter.GetBytes((uint)((port << 16) | port)));
        return socket;
    }
}
