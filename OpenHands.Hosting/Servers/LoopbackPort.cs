using System.Net;
using System.Net.Sockets;

namespace OpenHands.Hosting.Servers;

/// <summary>A TCP port on this machine's loopback addresses.</summary>
internal static class LoopbackPort
{
    /// <summary>The loopback addresses this machine has: 127.0.0.1 and mostly ::1.</summary>
    public static IReadOnlyList<IPAddress> Addresses { get; } =
        Failure(IPAddress.IPv6Loopback, 0) is null ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [IPAddress.Loopback];

    /// <summary>
    /// Throws when the port cannot be bound on one of the addresses. PostgreSQL itself would go on with the other one,
    /// and clients of <c>localhost</c> would then reach a stranger.
    /// </summary>
    public static void DemandFree(int port, string server, string key)
    {
        foreach (var address in Addresses)
        {
            if (Failure(address, port) is { } failure)
            {
                throw new InvalidOperationException(
                    $"{server}: port {port} on {address} cannot be used ({failure.Message}). Choose another with {key}=<port>, or end the program that has it.");
            }
        }
    }

    private static SocketException? Failure(IPAddress address, int port)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(1);
            return null;
        }
        catch (SocketException failure)
        {
            return failure;
        }
    }
}
