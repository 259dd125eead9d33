using System.Net;
using System.Net.Sockets;

namespace OpenHands.Tests.Support;

/// <summary>A port of the loopback interface where nobody listens, and nobody else can while this is kept.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ClosedPort()
    {
        // Bound, but never listening: connections are refused.
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose() => _socket.Dispose();
}
