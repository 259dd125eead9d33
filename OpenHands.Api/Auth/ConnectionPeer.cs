using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace OpenHands.Api.Auth;

/// <summary>
/// The other end of a connection as the operating system names it. Kept because the address in HttpContext.Connection is
/// whatever X-Forwarded-For says once forwarded headers are on.
/// </summary>
/// <param name="Address">An IP or Unix socket address; null when the transport knows none.</param>
internal sealed record ConnectionPeer(EndPoint? Address)
{
    /// <summary>Notes the peer of every connection that <paramref name="endpoint"/> accepts.</summary>
    public static void Remember(ListenOptions endpoint) => endpoint.Use(next => connection =>
    {
        connection.Features.Set(new ConnectionPeer(connection.RemoteEndPoint));
        return next(connection);
    });
}
