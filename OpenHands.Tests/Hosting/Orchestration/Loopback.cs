using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenHands.Tests.Hosting.Orchestration;

/// <summary>Sockets as servers and clients open them.</summary>
internal static class Loopback
{
    public static Socket Listen(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }

    public static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    public static async Task<Socket> ConnectAsync(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address, port, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>Everything the other side says until it has no more to say.</summary>
    public static async Task<string> ReadAsync(Socket socket)
    {
        using var said = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken)) > 0)
        {
            said.Write(buffer, 0, read);
        }

        return Encoding.UTF8.GetString(said.ToArray());
    }
}
