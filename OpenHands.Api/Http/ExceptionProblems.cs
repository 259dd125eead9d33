using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Diagnostics;
using OpenHands.Storage.Postgres;

namespace OpenHands.Api.Http;

/// <summary>
/// Turns an exception that reached the edge into an answer. No exception's own text is sent: it may hold a caller's data.
/// A caller who has gone away is answered by the framework (499) before this is asked.
/// </summary>
internal sealed partial class ExceptionProblems(ILogger<ExceptionProblems> logger) : IExceptionHandler
{
    private const string RetryAfterSeconds = "2";

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is BadHttpRequestException bad)
        {
            await httpContext.WriteProblemAsync(bad.StatusCode, Reason(bad));
            return true;
        }

        if (DatabaseAvailability.IsUnavailable(exception))
        {
            DatabaseUnavailable(logger, httpContext.Request.Method, Route(httpContext), exception.GetBaseException().Message);
            const int unavailable = StatusCodes.Status503ServiceUnavailable;
            httpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
            await httpContext.WriteProblemAsync(unavailable, ProblemText.For(unavailable));
            return true;
        }

        if (DatabaseAvailability.IsOfRemovedOwner(exception))
        {
            await httpContext.WriteProblemAsync(StatusCodes.Status409Conflict, "The user or the organization was removed in this moment.");
            return true;
        }

        RequestFailed(logger, exception, httpContext.Request.Method, Route(httpContext));
        const int failed = StatusCodes.Status500InternalServerError;
        await httpContext.WriteProblemAsync(failed, ProblemText.For(failed));
        return true;
    }

    private static string Reason(BadHttpRequestException bad) => bad.InnerException is JsonException json
        ? string.Create(CultureInfo.InvariantCulture,
            $"The request body is not the JSON that is expected here (line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}).")
        : ProblemText.For(bad.StatusCode);

    // The pattern, not the path: a path may name what is nobody's business.
    private static string Route(HttpContext context) =>
        (context.Features.Get<IExceptionHandlerFeature>()?.Endpoint ?? context.GetEndpoint())?.DisplayName ?? "no route";

    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Method} request to {Route} was answered 503, PostgreSQL cannot be used: {Reason}")]
    private static partial void DatabaseUnavailable(ILogger logger, string method, string route, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A {Method} request to {Route} failed")]
    private static partial void RequestFailed(ILogger logger, Exception exception, string method, string route);
}
