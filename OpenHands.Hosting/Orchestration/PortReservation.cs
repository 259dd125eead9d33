using System.Net;
using System.Net.Sockets;

namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// A loopback port that is ours until we let it go: a socket bound to it that never listens. A server that sets
/// SO_REUSEADDR (Kestrel, PostgreSQL and Redis do) can listen on it meanwhile, while the kernel gives it neither to
/// another bind to port 0 nor to an outgoing connection. So there is no gap in which somebody else could take it.
/// </summary>
internal sealed class PortReservation : IDisposable
{
    private const int Attempts = 50;
    private readonly List<Socket> _sockets;

    private PortReservation(int port, List<Socket> sockets)
    {
        Port = port;
        _sockets = sockets;
    }

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>Reserves a free port.</summary>
    public static PortReservation Any()
    {
        for (var attempt = 1; ; attempt++)
        {
            var first = Bind(IPAddress.Loopback, 0);
            var port = ((IPEndPoint)first.LocalEndPoint!).Port;
            try
            {
                return new PortReservation(port, [first, .. BindIPv6(port)]);
            }
            catch (SocketException) when (attempt < Attempts)
            {
                // The port is free for IPv4 and taken for IPv6.
                first.Dispose();
            }
        }
    }

    /// <summary>Reserves a port that was asked for.</summary>
    /// <exception cref="SocketException">Somebody listens on it.</exception>
    public static PortReservation Of(int port)
    {
        var first = Bind(IPAddress.Loopback, port);
        try
        {
            return new PortReservation(port, [first, .. BindIPv6(port)]);
        }
        catch (SocketException)
        {
            first.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    private static IEnumerable<Socket> BindIPv6(int port)
    {
        if (!Socket.OSSupportsIPv6)
        {
            return [];
        }

        try
        {
            return [Bind(IPAddress.IPv6Loopback, port)];
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return [];
        }
    }

    private static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // .NET sets SO_REUSEADDR by itself; its own option would set SO_REUSEPORT too, and share a port with another host.
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
