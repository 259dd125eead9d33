namespace OpenHands.Api.Http;

/// <summary>Says that a route does a request with a header Idempotency-Key once, however often it comes.</summary>
/// <param name="ShownOnce">Members of the answer that nobody is shown a second time, and that are kept nowhere.</param>
internal sealed record Idempotent(IReadOnlyList<string> ShownOnce);

/// <summary>Makes routes idempotent.</summary>
internal static class IdempotentExtensions
{
    // As large as a body can be (HttpEdge): a body may hold a secret, so none is spilled to a file.
    private const int MostBufferedBytes = 2 * 1024 * 1024;

    /// <summary>Lets callers send a request to this route again without having it done twice. For routes that act as tenant.</summary>
    public static RouteHandlerBuilder Idempotent(this RouteHandlerBuilder route, params string[] shownOnce)
    {
        // Around the binding of parameters: the body is read there, and once more to tell it from another.
        route.Finally(endpoint =>
        {
            if (endpoint.RequestDelegate is not { } handle)
                return;
            endpoint.RequestDelegate = context =>
            {
                if (context.Request.Headers.ContainsKey(IdempotencyFilter.Header))
                    context.Request.EnableBuffering(MostBufferedBytes);
                return handle(context);
            };
        });
        return route.WithMetadata(new Idempotent(shownOnce))
            .AddEndpointFilter<IdempotencyFilter>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity);
    }
}
