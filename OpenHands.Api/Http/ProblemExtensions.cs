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

    /// <summary>Answers with <paramref name="status"/> and a sentence for a person.</summary>
    public static async Task WriteProblemAsync(this HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().WriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = { Status = status, Detail = message },
        });
    }
}
