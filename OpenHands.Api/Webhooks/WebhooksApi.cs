using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Webhooks;

namespace OpenHands.Api.Webhooks;

/// <summary>Where an organization is told of its events, and the log of that. For its admins alone.</summary>
internal static class WebhooksApi
{
    private const int MostDeliveries = 100;
    private const string One = "/{webhook:id}";

    /// <summary>Maps the routes.</summary>
    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        var webhooks = routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/webhooks").WithTags("Webhooks")
            .ActAsTenant(ApiKeyScopes.Organizations).ForAdmins(ApiKeyScopes.Organizations).AddEndpointFilter<AdminFilter>();
        webhooks.MapGet("/", ListAsync);
        webhooks.MapPost("/", AddAsync).Idempotent(shownOnce: "secret");
        webhooks.MapGet(One, ReadAsync);
        webhooks.MapPatch(One, ChangeAsync);
        webhooks.MapDelete(One, RemoveAsync);
        webhooks.MapPost(One + "/ping", PingAsync);
        webhooks.MapGet(One + "/deliveries", DeliveriesAsync);
    }

    /// <summary>All webhooks, without their secrets.</summary>
    internal static async Task<Ok<IReadOnlyList<Webhook>>> ListAsync(WebhookStore store, CancellationToken cancellationToken) =>
        TypedResults.Ok(await store.ListAsync(cancellationToken));

    /// <summary>Makes a webhook. Its secret is shown this once; it signs what is sent, as Standard Webhooks says.</summary>
    internal static async Task<Results<Created<MadeWebhook>, ProblemHttpResult>> AddAsync(
        NewWebhook request, WebhookStore store, HttpContext context, CancellationToken cancellationToken)
    {
        if (Webhook.Problem(request.Url, request.EventTypes) is { } problem)
            return Invalid(problem);
        return await store.AddAsync(request.Url!, request.EventTypes ?? [], cancellationToken) is { } made // an address was demanded
            ? TypedResults.Created($"{context.Request.Path}/{made.Webhook.Id}", made)
            : TypedResults.Problem($"An organization has at most {WebhookStore.Most} webhooks.", statusCode: StatusCodes.Status409Conflict);
    }

    /// <summary>One webhook, without its secret.</summary>
    internal static async Task<Results<Ok<Webhook>, ProblemHttpResult>> ReadAsync(string webhook, WebhookStore store, CancellationToken cancellationToken) =>
        await store.FindAsync(webhook, cancellationToken) is { } found ? TypedResults.Ok(found) : NotFound();

    /// <summary>Changes the members that are given.</summary>
    internal static async Task<Results<Ok<Webhook>, ProblemHttpResult>> ChangeAsync(
        string webhook, WebhookPatch request, WebhookStore store, CancellationToken cancellationToken)
    {
        if (Webhook.Problem(request.Url ?? "https://example.org", request.EventTypes) is { } problem)
            return Invalid(problem);
        return await store.ChangeAsync(webhook, request.Url, request.EventTypes, request.IsEnabled, cancellationToken) is { } changed ? TypedResults.Ok(changed) : NotFound();
    }

    /// <summary>Removes a webhook with its log.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(string webhook, WebhookStore store, CancellationToken cancellationToken) =>
        await store.RemoveAsync(webhook, cancellationToken) ? TypedResults.NoContent() : NotFound();

    /// <summary>Sends an event `ping` to try it; the log shows what came of it.</summary>
    internal static async Task<Results<Accepted<SentPing>, ProblemHttpResult>> PingAsync(
        string webhook, WebhookStore store, HttpContext context, CancellationToken cancellationToken) =>
        await store.PingAsync(webhook, cancellationToken) is { } id
            ? TypedResults.Accepted(context.Request.Path.Value!.Replace("/ping", "/deliveries", StringComparison.Ordinal), new SentPing(id)) // the route has a path
            : NotFound();

    /// <summary>The newest hundred deliveries, newest first.</summary>
    internal static async Task<Results<Ok<IReadOnlyList<WebhookDelivery>>, ProblemHttpResult>> DeliveriesAsync(
        string webhook, WebhookStore store, CancellationToken cancellationToken) =>
        await store.FindAsync(webhook, cancellationToken) is null ? NotFound() : TypedResults.Ok(await store.DeliveriesAsync(webhook, MostDeliveries, cancellationToken));

    private static ProblemHttpResult Invalid(string problem) => TypedResults.Problem(problem, statusCode: StatusCodes.Status422UnprocessableEntity);

    private static ProblemHttpResult NotFound() => TypedResults.Problem("There is no such webhook.", statusCode: StatusCodes.Status404NotFound);
}

/// <summary>A webhook to be made.</summary>
/// <param name="Url">Where the events go: http or https.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record NewWebhook(string? Url)
{
    /// <summary>Which events; empty for all.</summary>
    public string[]? EventTypes { get; init; }
}

/// <summary>What is to change about a webhook.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record WebhookPatch
{
    /// <summary>Where the events go: http or https.</summary>
    public string? Url { get; init; }

    /// <summary>Which events; empty for all.</summary>
    public string[]? EventTypes { get; init; }

    /// <summary>False to send nothing for now.</summary>
    public bool? IsEnabled { get; init; }
}

/// <summary>An event that was asked for.</summary>
/// <param name="Id">Id of the delivery and of the task that makes it.</param>
public sealed record SentPing(string Id);
