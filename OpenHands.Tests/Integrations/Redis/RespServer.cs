using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OpenHands.Tests.Integrations.Redis;

/// <summary>
/// A server on a free loopback port that speaks enough of Redis' protocol for the client to connect and for PING, GET
/// and SET. For what our client integration does around commands; what Redis does is tested against Redis itself.
/// </summary>
internal sealed class RespServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;

    public RespServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string ConnectionString => $"127.0.0.1:{Port},password=not-for-logs";

    /// <summary>Stops listening and drops every connection; may be called before the end of the test.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_accepting.IsCompleted)
            return;
        await _stop.CancelAsync();
        _listener.Stop();
        await Task.WhenAll([_accepting, .. _connections]);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        try
        {
            while (await ReadCommandAsync(reader) is { } command)
                await stream.WriteAsync(Encoding.Latin1.GetBytes(Answer(command)), _stop.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // Stopped, or the client went away.
        }
    }

    private async Task<string[]?> ReadCommandAsync(StreamReader reader)
    {
        if (await reader.ReadLineAsync(_stop.Token) is not ['*', .. var count])
            return null;

        var words = new string[int.Parse(count)];
        for (var i = 0; i < words.Length; i++)
        {
            var length = int.Parse((await reader.ReadLineAsync(_stop.Token))![1..]);
            var word = new char[length];
            await reader.ReadBlockAsync(word, _stop.Token);
            await reader.ReadLineAsync(_stop.Token);
            words[i] = new string(word);
        }
        return words;
    }

    private static string Answer(string[] command) => command[0].ToUpperInvariant() switch
    {
        "PING" => "+PONG\r\n",
        "ECHO" => Bulk(command[1]),
        "GET" => "$-1\r\n",
        "SET" or "AUTH" or "SELECT" or "CLIENT" => "+OK\r\n",
        "INFO" => Bulk("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# Replication\r\nrole:master\r\n"),
        _ => $"-ERR unknown command '{command[0]}'\r\n",
    };

    private static string Bulk(string text) => $"${text.Length}\r\n{text}\r\n";
}
