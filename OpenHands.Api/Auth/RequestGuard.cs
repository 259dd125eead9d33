using Microsoft.Extensions.Options;
using OpenHands.Api.Http;

namespace OpenHands.Api.Auth;

/// <summary>Refuses, before anything else looks at a request, what must never be taken for the local user's own doing.</summary>
internal sealed partial class RequestGuard(
    RequestDelegate next, IOptions<IdentityOptions> identity, IOptions<CrossOriginOptions> crossOrigin, ILogger<RequestGuard> logger)
{
    private readonly HostRule _hosts = new(identity.Value.AllowedHosts);
    private readonly OriginRule _origins = new(crossOrigin.Value.Origins);

    /// <summary>Lets the request pass, or answers 403 or 421 with what to configure.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        // Probes of an orchestrator come from other machines and by address; the answer holds nothing private.
        if (Probes.Has(request.Path))
            return next(context);

        if (identity.Value.IsAnonymous && !identity.Value.AllowRemote && !CallerAddress.IsThisMachine(context))
        {
            return RefuseAsync(context, StatusCodes.Status403Forbidden,
                "This server has no login and answers only to the machine it runs on. Set Identity:AllowRemote to true "
                + "to let every machine that reaches it act as its user.");
        }

        if (!IsOurName(request.Host))
        {
            return RefuseAsync(context, StatusCodes.Status421MisdirectedRequest,
                "This server answers only under the names of the loopback interface, such as localhost. "
                + "Add the host name to Identity:AllowedHosts to call it by another.");
        }

        if (!_origins.Allows(request))
        {
            return RefuseAsync(context, StatusCodes.Status403Forbidden,
                "A page of another origin may not change anything here. Add its origin to Cors:Origins to allow it.");
        }

        return next(context);
    }

    // With a credential, a stranger's name for this address gets a stranger's page nothing: a cookie belongs to another name, a key is not sent.
    private bool IsOurName(HostString host) => _hosts.Allows(host) || (!identity.Value.IsAnonymous && identity.Value.AllowedHosts.Count == 0);

    private Task RefuseAsync(HttpContext context, int status, string message)
    {
        Refused(logger, context.Request.Method, status, message);
        return context.WriteProblemAsync(status, message);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a {Method} request with {Status}: {Message}")]
    private static partial void Refused(ILogger logger, string method, int status, string message);
}
