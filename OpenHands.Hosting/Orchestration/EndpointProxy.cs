using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// Listens on an endpoint's port and passes each connection on to one of the replicas behind it: the healthy ones in
/// turn, or any that runs when none is healthy, so that a caller hears from the service itself why it is not ready.
/// </summary>
internal sealed class EndpointProxy : IAsyncDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(20);
    private readonly ConcurrentDictionary<int, bool> _targets = new();
    private readonly ConcurrentDictionary<Task, bool> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Socket> _listeners = [];
    private readonly Task _accepting;
    private int _next;

    /// <summary>Listens on a port; 0 takes a free one.</summary>
    /// <exception cref="SocketException">Somebody listens on the port.</exception>
    public EndpointProxy(int port)
    {
        // Bound first without listening: both address families get the same port or neither does.
        using (var reservation = port == 0 ? PortReservation.Any() : PortReservation.Of(port))
        {
            Port = reservation.Port;
            Listen(IPAddress.Loopback);
            if (Socket.OSSupportsIPv6)
            {
                TryListen(IPAddress.IPv6Loopback);
            }
        }

        _accepting = Task.WhenAll(_listeners.Select(listener => Task.Run(() => AcceptAsync(listener))));
    }

    /// <summary>The port it listens on.</summary>
    public int Port { get; }

    /// <summary>Passes connections on to a replica from now on.</summary>
    public void SetTarget(int port, bool healthy) => _targets[port] = healthy;

    /// <summary>Passes no more connections on to a replica.</summary>
    public void RemoveTarget(int port) => _targets.TryRemove(port, out _);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _listeners.ForEach(listener => listener.Dispose());
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_connections.Keys).ConfigureAwait(false);
        _stopping.Dispose();
    }

    private static async Task PumpAsync(Socket from, Socket to, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await from.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false)) > 0)
        {
            for (var sent = 0; sent < read;)
            {
                sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), SocketFlags.None, cancellationToken).ConfigureAwait(false);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private void TryListen(IPAddress address)
    {
        try
        {
            Listen(address);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // The machine knows IPv6 but has no ::1.
        }
    }

    private void Listen(IPAddress address)
    {
        var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(address, Port));
            listener.Listen(Backlog);
            _listeners.Add(listener);
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A caller that is gone already, or no file descriptor left: then a pause lets others end.
                await Task.Delay(AfterFailure, TimeProvider.System).ConfigureAwait(false);
                continue;
            }

            var connection = Task.Run(() => ServeAsync(client));
            _connections[connection] = true;
            _ = connection.ContinueWith(ended => _connections.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        {
            using var upstream = await ConnectAsync().ConfigureAwait(false);
            if (upstream is null)
            {
                return;
            }

            using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            client.NoDelay = upstream.NoDelay = true;
            try
            {
                var up = PumpAsync(client, upstream, ended.Token);
                var down = PumpAsync(upstream, client, ended.Token);
                // A half-closed connection goes on; a broken one takes its other half along.
                var first = await Task.WhenAny(up, down).ConfigureAwait(false);
                if (!first.IsCompletedSuccessfully)
                {
                    await ended.CancelAsync().ConfigureAwait(false);
                }

                await Task.WhenAll(up, down).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // Either side went away: closing both tells the other.
            }
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        var targets = _targets.ToArray();
        var healthy = targets.Where(target => target.Value).ToArray();
        var candidates = (healthy.Length > 0 ? healthy : targets).Select(target => target.Key).Order().ToArray();
        var start = (uint)Interlocked.Increment(ref _next);
        for (var i = 0u; i < candidates.Length; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, candidates[(start + i) % candidates.Length], _stopping.Token).ConfigureAwait(false);
                return socket;
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                socket.Dispose();
            }
        }

        return null;
    }
}
