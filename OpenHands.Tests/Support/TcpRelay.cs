using System.Net;
using System.Net.Sockets;

namespace OpenHands.Tests.Support;

/// <summary>A port of ours in front of a server on this machine, so that a test can take the server away from one client alone.</summary>
internal sealed class TcpRelay(int serverPort) : IAsyncDisposable
{
    private Socket _entrance = Bind(0);
    private CancellationTokenSource? _open;
    private Task _relaying = Task.CompletedTask;
    private TaskCompletionSource? _held;

    /// <summary>The port for the client; connections are refused until <see cref="Open"/>.</summary>
    public int Port => ((IPEndPoint)_entrance.LocalEndPoint!).Port;

    /// <summary>Lets connections through.</summary>
    public void Open()
    {
        _entrance.Listen();
        _open = new CancellationTokenSource();
        _relaying = RelayAsync(_entrance, _open.Token);
    }

    /// <summary>Cuts all connections and refuses new ones.</summary>
    public async Task CloseAsync()
    {
        var port = Port;
        await EndAsync();
        _entrance = Bind(port);
    }

    /// <summary>Passes nothing on any more and cuts nothing, as a network that loses every packet.</summary>
    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Passes on what was held, and everything again.</summary>
    public void Release() => _held?.TrySetResult();

    public async ValueTask DisposeAsync() => await EndAsync();

    private static Socket Bind(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }

    private async Task EndAsync()
    {
        if (_open is not null)
            await _open.CancelAsync();
        _entrance.Dispose();
        await _relaying;
        _open?.Dispose();
        _open = null;
    }

    private async Task RelayAsync(Socket entrance, CancellationToken cancellationToken)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(PassAsync(await entrance.AcceptAsync(cancellationToken), cancellationToken));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task PassAsync(Socket accepted, CancellationToken cancellationToken)
    {
        try
        {
            await using var client = new NetworkStream(accepted, ownsSocket: true);
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, serverPort, cancellationToken);
            await using var server = connection.GetStream();
            await await Task.WhenAny(CopyAsync(client, server, cancellationToken), CopyAsync(server, client, cancellationToken));
        }
        catch (Exception cut) when (cut is OperationCanceledException or IOException or SocketException)
        {
            // One side is gone; leaving closes the other.
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        for (int length; (length = await from.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            await (_held?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);
            await to.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
        }
    }
}
