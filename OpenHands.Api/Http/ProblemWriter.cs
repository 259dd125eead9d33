using System.Diagnostics;
using Microsoft.AspNetCore.WebUtilities;

namespace OpenHands.Api.Http;

/// <summary>
/// Writes every error of the API: problem details (RFC 9457), and the members `error` and `message` that the web
/// front end shows. Whatever the caller accepts: an error in a format not asked for is better than an empty one.
/// </summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    private const string ContentType = "application/problem+json";
    private const string RegisteredTypes = "https://iana.org/assignments/http-problem-types#";

    /// <inheritdoc/>
    public bool CanWrite(ProblemDetailsContext context) => true;

    /// <inheritdoc/>
    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var problem = context.ProblemDetails;
        var status = problem.Status ??= http.Response.StatusCode;
        var message = Message(problem, status);
        problem.Title = ReasonPhrases.GetReasonPhrase(status);
        if (problem.Type?.StartsWith(RegisteredTypes, StringComparison.Ordinal) is not true)
            problem.Type = null; // about:blank: the status says it all
        problem.Detail = message;
        problem.Extensions["error"] = message;
        problem.Extensions["message"] = message;
        problem.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? http.TraceIdentifier;
        return new(http.Response.WriteAsJsonAsync(problem, problem.GetType(), options: null, ContentType, http.RequestAborted));
    }

    private static string Message(Microsoft.AspNetCore.Mvc.ProblemDetails problem, int status) => problem switch
    {
        { Detail.Length: > 0 } => problem.Detail,
        HttpValidationProblemDetails { Errors.Count: > 0 } invalid =>
            string.Join(' ', invalid.Errors.SelectMany(field => field.Value)),
        _ => ProblemText.For(status),
    };
}
