using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis.Profiling;

namespace OpenHands.ServiceDefaults.Integrations.Redis;

/// <summary>
/// Writes finished Redis commands as client spans in OpenTelemetry's database conventions. A span names the command and
/// the server; keys and values are not in it, and the profiler never shows them.
/// </summary>
/// <remarks>https://opentelemetry.io/docs/specs/semconv/db/redis/</remarks>
internal static class RedisSpans
{
    /// <summary>The name under which Aspire's own client integration publishes its spans, so that filters keep working.</summary>
    internal const string SourceName = "OpenTelemetry.Instrumentation.StackExchangeRedis";

    internal static readonly ActivitySource Source = new(SourceName);

    /// <summary>Writes one command as a child of <paramref name="parent"/>, or as a root if that is default.</summary>
    internal static void Write(IProfiledCommand command, ActivityContext parent)
    {
        using var span = Source.StartActivity(
            ActivityKind.Client, parent, Tags(command), links: null, startTime: command.CommandCreated, name: command.Command);
        span?.SetEndTime(command.CommandCreated + command.ElapsedTime);
    }

    private static List<KeyValuePair<string, object?>> Tags(IProfiledCommand command)
    {
        List<KeyValuePair<string, object?>> tags =
        [
            new("db.system.name", "redis"),
            new("db.operation.name", command.Command),
        ];
        // Commands such as PING belong to no database; the profiler says -1.
        if (command.Db >= 0)
            tags.Add(new("db.namespace", command.Db.ToString()));

        var (address, port) = Server(command.EndPoint);
        if (address is not null)
            tags.Add(new("server.address", address));
        if (port is not null)
            tags.Add(new("server.port", port));
        return tags;
    }

    private static (string? Address, int? Port) Server(EndPoint? endPoint) => endPoint switch
    {
        DnsEndPoint dns => (dns.Host, dns.Port),
        IPEndPoint ip => (ip.Address.ToString(), ip.Port),
        UnixDomainSocketEndPoint socket => (socket.ToString(), null),
        _ => (null, null),
    };
}
