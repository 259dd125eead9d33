using Microsoft.AspNetCore.Authorization;
using Microsoft.OpenApi;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Storage.Idempotency;
using OpenHands.Storage.Sessions;
using Scalar.AspNetCore;

namespace OpenHands.Api.OpenApi;

/// <summary>The API described: a document for programs (OpenAPI 3.1) and a reference page for people.</summary>
internal static class OpenApiExtensions
{
    /// <summary>Where the document is.</summary>
    public const string Document = "/openapi/v1.json";

    /// <summary>Where the page is.</summary>
    public const string Page = "/reference";

    /// <summary>Adds what makes the document.</summary>
    public static void AddDescription(this IServiceCollection services) => services.AddOpenApi(openApi =>
    {
        openApi.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new() { Title = "OpenHands", Version = "v1" };
            return Task.CompletedTask;
        });
        // Its converter carries an object as it is, which tells the generator nothing.
        openApi.AddSchemaTransformer((schema, context, _) =>
        {
            if (context.JsonTypeInfo.Type == typeof(SessionState))
                schema.Type = JsonSchemaType.Object;
            return Task.CompletedTask;
        });
        openApi.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<Idempotent>().Any())
                (operation.Parameters ??= []).Add(IdempotencyKey());
            return Task.CompletedTask;
        });
    });

    /// <summary>Maps both, for whoever is logged in.</summary>
    public static void MapDescription(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi(Document).ForUsers();
        // It comes with all that it needs: nothing is fetched from elsewhere, and nothing is told to anybody.
        var page = routes.MapScalarApiReference(Page, page => page
            .WithTitle("OpenHands API")
            .WithOpenApiRoutePattern(Document)
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent());
        page.ForUsers();
        // The library opens its scripts to everybody.
        page.Finally(endpoint =>
        {
            foreach (var open in endpoint.Metadata.OfType<IAllowAnonymous>().ToList())
                endpoint.Metadata.Remove(open);
        });
    }

    private static OpenApiParameter IdempotencyKey() => new()
    {
        Name = IdempotencyFilter.Header,
        In = ParameterLocation.Header,
        Description = $"Chosen by the caller, such as a UUID: a request that comes again with it within {IdempotencyStore.Retention.TotalHours} hours is answered "
            + $"as it was the first time ({IdempotencyFilter.RepeatedHeader}: true) and not done again. Only success is kept; what is shown once comes back as null.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = IdempotencyStore.LongestKey },
    };
}
