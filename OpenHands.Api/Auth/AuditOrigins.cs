using System.Diagnostics;
using OpenHands.Storage.Audit;

namespace OpenHands.Api.Auth;

/// <summary>Says from where a request acts.</summary>
internal static class AuditOrigins
{
    /// <summary>Address, key and trace of the request.</summary>
    public static AuditOrigin Of(HttpContext context) => new(
        context.Connection.RemoteIpAddress?.ToString(), context.User.KeyId(), Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier);
}
