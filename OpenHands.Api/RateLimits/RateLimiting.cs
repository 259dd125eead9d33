using System.Globalization;
using OpenHands.Api.Frontend;
using OpenHands.Api.Http;
using OpenHands.Storage.RateLimits;

namespace OpenHands.Api.RateLimits;

/// <summary>
/// Counts each request under all policies that hold for its caller, tells the caller what is left, and answers 429 to who asks for
/// too much. Requests of a login are counted before authentication, which answers some of them; all others after it, which says who calls.
/// </summary>
internal sealed partial class RateLimiting(
    RequestDelegate next, LimitedRoutes routes, RateLimiter limiter, LimitedCallers callers, ApiMetrics metrics, ILogger<RateLimiting> logger)
{
    private const string Exceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";
    private const string Reduced = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity";

    private static readonly PathString Login = "/auth";

    /// <summary>Lets the request pass, or refuses it.</summary>
    public Task InvokeAsync(HttpContext context) =>
        RoutesOf(context) == routes && callers.Of(context, routes) is { Count: > 0 } limited ? TakeAsync(context, limited) : next(context);

    private async Task TakeAsync(HttpContext context, List<LimitedCaller> limited)
    {
        var cost = context.GetEndpoint()?.Metadata.GetMetadata<RequestCost>()?.Cost ?? 1;
        var decision = await limiter.TakeAsync(limited, cost, context.RequestAborted);
        metrics.Count(decision);
        // When the answer begins, since an error on the way clears its headers.
        context.Response.OnStarting(static state =>
        {
            var (headers, told) = ((IHeaderDictionary, RateLimitDecision))state;
            RateLimitHeaders.Write(headers, told);
            return Task.CompletedTask;
        }, (context.Response.Headers, decision));
        if (decision.IsAllowed)
            await next(context);
        else
            await RefuseAsync(context, decision);
    }

    // Null for what nobody counts.
    private static LimitedRoutes? RoutesOf(HttpContext context)
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments(Login))
            return LimitedRoutes.Authentication;
        if (Probes.Has(path))
            return null;
        return context.GetEndpoint() is null && FrontendPaths.MayBeFrontend(path) ? null : LimitedRoutes.Ordinary;
    }

    private Task RefuseAsync(HttpContext context, RateLimitDecision decision)
    {
        var violated = decision.Violated.ToList();
        var policies = string.Join(", ", violated.Select(state => state.Policy.Name));
        var seconds = RateLimitHeaders.Seconds(decision.RetryAfter);
        var isClosed = decision.IsDegraded && violated.Any(state => state.Policy.IsClosedWithoutRedis);
        Refused(logger, context.Request.Method, policies, decision.IsDegraded);
        return context.WriteProblemAsync(
            isClosed ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status429TooManyRequests,
            isClosed
                ? string.Create(CultureInfo.InvariantCulture, $"Nobody can log in at the moment. Please try again in {seconds} s.")
                : string.Create(CultureInfo.InvariantCulture, $"Too many requests. Please try again in {seconds} s."),
            decision.IsDegraded ? Reduced : Exceeded,
            new KeyValuePair<string, object?>("violated-policies", violated.Select(state => state.Policy.Name)));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Refused a {Method} request under {Policies} (Redis gone: {IsDegraded})")]
    private static partial void Refused(ILogger logger, string method, string policies, bool isDegraded);
}
