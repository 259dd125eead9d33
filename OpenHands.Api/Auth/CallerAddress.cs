using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Primitives;

namespace OpenHands.Api.Auth;

/// <summary>Where a request really comes from.</summary>
internal static class CallerAddress
{
    /// <summary>
    /// Whether the caller sits on this machine. The connection itself must come from it; headers can only take the
    /// trust away (a proxy here that speaks for another machine), never give it.
    /// </summary>
    public static bool IsThisMachine(HttpContext context) =>
        IsLoopback(context.Features.Get<ConnectionPeer>()?.Address)
        // The forwarded-headers middleware, where it is on, moves the header's address here.
        && context.Connection.RemoteIpAddress is var address && (address is null || IsLoopback(address))
        && NamesOnlyLoopback(context.Request.Headers["X-Forwarded-For"])
        && NamesOnlyLoopback(context.Request.Headers["X-Real-IP"])
        && (context.Request.Headers["Forwarded"] is var forwarded && (forwarded.Count == 0 || ForwardedFor(forwarded).All(IsLoopback)));

    private static bool IsLoopback(EndPoint? remote) => remote switch
    {
        IPEndPoint ip => IsLoopback(ip.Address),
        UnixDomainSocketEndPoint => true,
        _ => false,
    };

    private static bool IsLoopback(IPAddress address) =>
        IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool IsLoopback(string address) =>
        IPEndPoint.TryParse(address, out var parsed) && IsLoopback(parsed.Address);

    private static bool NamesOnlyLoopback(StringValues header) => header.Count == 0 || Elements(header, ',').All(IsLoopback);

    // RFC 7239: Forwarded: for="[2001:db8::17]:4711";proto=http, for=192.0.2.60
    private static IEnumerable<string> ForwardedFor(StringValues header) =>
        from element in Elements(header, ',', ';')
        where element.StartsWith("for=", StringComparison.OrdinalIgnoreCase)
        select element["for=".Length..].Trim('"');

    private static IEnumerable<string> Elements(StringValues header, params char[] separators) =>
        header.SelectMany(line => (line ?? "").Split(
            separators, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
