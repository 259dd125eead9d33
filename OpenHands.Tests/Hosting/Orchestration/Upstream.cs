using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenHands.Tests.Hosting.Orchestration;

/// <summary>A replica that serves each connection in the same way.</summary>
internal sealed class Upstream : IAsyncDisposable
{
    private readonly Socket _listener = Loopback.Listen(IPAddress.Loopback, 0);
    private readonly Task _serving;

    private Upstream(Func<Socket, Task> serve) => _serving = Task.Run(() => ServeAsync(serve));

    public int Port => Loopback.PortOf(_listener);

    /// <summary>Says its name and ends the connection.</summary>
    public static Upstream Named(string name) => new(async client => await client.SendAsync(Encoding.UTF8.GetBytes(name)));

    /// <summary>Listens until the caller has no more to say, then repeats it.</summary>
    public static Upstream Repeating() => new(async client => await client.SendAsync(Encoding.UTF8.GetBytes(await Loopback.ReadAsync(client))));

    /// <summary>Breaks the connection off as a killed process does.</summary>
    public static Upstream Breaking() => new(async client =>
    {
        await client.ReceiveAsync(new byte[1]);
        client.LingerState = new LingerOption(true, 0);
    });

    /// <summary>Keeps connections open and silent; <paramref name="ended"/> is told when the other side ends one.</summary>
    public static Upstream Silent(TaskCompletionSource accepted, TaskCompletionSource ended) => new(async client =>
    {
        accepted.TrySetResult();
        try
        {
            while (await client.ReceiveAsync(new byte[1]) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Broken off: ended as well.
        }

        ended.TrySetResult();
    });

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving;
    }

    private async Task ServeAsync(Func<Socket, Task> serve)
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }

            using (client)
            {
                try
                {
                    await serve(client);
                }
                catch (SocketException)
                {
                    // The caller has gone; what it missed is the test's to see.
                }
            }
        }
    }
}
