namespace OpenHands.Api.Http;

/// <summary>Errors in one place and in one shape.</summary>
internal static class ProblemExtensions
{
    /// <summary>Adds the writer of errors and the translation of exceptions to them.</summary>
    public static void AddProblems(this IServiceCollection services)
    {
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>(); // first, so that it comes before the framework's own
        services.AddProblemDetails();
        services.AddExceptionHandler<ExceptionProblems>();
        // Bad input always becomes an exception with a reason, not only in development.
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
    }

    /// <summary>Answers with <paramref name="status"/> and a sentence for a person, perhaps with a registered type of problem and its members.</summary>
    public static async Task WriteProblemAsync(
        this HttpContext context, int status, string message, string? type = null, params KeyValuePair<string, object?>[] members)
    {
        context.Response.StatusCode = status;
        var problem = new ProblemDetailsContext { HttpContext = context, ProblemDetails = { Status = status, Detail = message, Type = type } };
        foreach (var (name, value) in members)
            problem.ProblemDetails.Extensions[name] = value;
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().WriteAsync(problem);
    }
}
