using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Audit;
using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Audit;

/// <summary>An organization's audit log, for its admins.</summary>
internal static class AuditApi
{
    private const int ExportPage = 500;

    /// <summary>Maps it. 404 for who is no member, 403 for who is no admin.</summary>
    public static RouteGroupBuilder MapAudit(this IEndpointRouteBuilder routes)
    {
        var audit = routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/audit")
            .WithTags("Audit").ActAsTenant(ApiKeyScopes.Organizations).ForAdmins(ApiKeyScopes.Organizations).AddEndpointFilter<AdminFilter>();
        audit.MapGet("/", ListAsync);
        audit.MapGet("/export", ExportAsync).Produces<string>(StatusCodes.Status200OK, "application/x-ndjson");
        audit.MapGet("/retention", ReadRetentionAsync);
        audit.MapPut("/retention", KeepAsync);
        return audit;
    }

    /// <summary>What was done, newest first; `action` narrows it to one kind (`secret.read`) or subject (`secret`), `actor` to one user.</summary>
    internal static async Task<Results<Ok<Page<AuditedEvent>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, [FromQuery] string? actor, [FromQuery] string? action, AuditStore store, CancellationToken cancellationToken)
    {
        if (page.Problem is { } problem)
            return problem;
        if (!IsPlain(actor) || !IsPlain(action))
            return TypedResults.Problem("actor must be the id of a user, action such as secret.read.", statusCode: StatusCodes.Status422UnprocessableEntity);

        var events = await store.ListAsync(page.After, page.Most, actor, action, cancellationToken);
        return TypedResults.Ok(page.Of([.. events.Select(AuditedEvent.From)], shown => shown.Id));
    }

    /// <summary>
    /// Everything that is sealed, as JSON lines in the order of the chain. `after` is the position of the last line that the
    /// caller has: whoever goes on from there misses nothing.
    /// </summary>
    internal static async Task<Results<EmptyHttpResult, ProblemHttpResult>> ExportAsync(
        [FromQuery] long? after, AuditStore store, HttpResponse response, CancellationToken cancellationToken)
    {
        if (after < 0)
            return TypedResults.Problem("after must be the position of a line, or 0.", statusCode: StatusCodes.Status422UnprocessableEntity);

        var position = after ?? 0;
        await store.NoteExportAsync(position);
        response.ContentType = "application/x-ndjson";
        while (await store.ExportAsync(position, ExportPage, cancellationToken) is { Count: > 0 } events)
        {
            foreach (var audited in events)
                await response.WriteAsync(AuditFile.ToLine(audited) + "\n", Encoding.UTF8, cancellationToken);
            position = events[^1].Position ?? position;
        }

        return TypedResults.Empty;
    }

    /// <summary>How long events are kept.</summary>
    internal static async Task<Ok<AuditRetentionAnswer>> ReadRetentionAsync(AuditStore store, CancellationToken cancellationToken) =>
        TypedResults.Ok(new AuditRetentionAnswer(await store.RetentionAsync(cancellationToken)));

    /// <summary>Chooses how long events are kept: 30 to 3650 days, or null for ever.</summary>
    internal static async Task<Results<Ok<AuditRetentionAnswer>, ProblemHttpResult>> KeepAsync(
        AuditRetentionRequest request, AuditStore store, CancellationToken cancellationToken)
    {
        if (request.Days is < AuditRetention.FewestDays or > AuditRetention.MostDays)
        {
            return TypedResults.Problem(
                string.Create(CultureInfo.InvariantCulture, $"days must be {AuditRetention.FewestDays} to {AuditRetention.MostDays}, or null for ever."),
                statusCode: StatusCodes.Status422UnprocessableEntity);
        }

        await store.KeepAsync(request.Days, cancellationToken);
        return TypedResults.Ok(new AuditRetentionAnswer(request.Days));
    }

    private static bool IsPlain(string? text) => text is null || (text.Length is > 0 and <= 64 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_'));

    /// <summary>Answers 404 to who is no member of the organization in the path, 403 to who is no admin.</summary>
    private sealed class AdminFilter(AuditStore store) : IEndpointFilter
    {
        public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
            await store.MayReadAsync(context.HttpContext.RequestAborted) switch
            {
                OrganizationOutcome.Done => await next(context),
                OrganizationOutcome.NotAdmin => TypedResults.Problem("Only an admin of the organization may do this.", statusCode: StatusCodes.Status403Forbidden),
                _ => TypedResults.Problem("There is no such organization.", statusCode: StatusCodes.Status404NotFound),
            };
    }
}

/// <summary>How long an organization keeps its audit events.</summary>
/// <param name="Days">30 to 3650 days; null for ever.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AuditRetentionRequest([property: JsonRequired] int? Days);

/// <summary>How long an organization keeps its audit events.</summary>
/// <param name="Days">Days; null for ever.</param>
public sealed record AuditRetentionAnswer(int? Days);

/// <summary>Something that somebody did.</summary>
/// <param name="Id">Id of the event.</param>
/// <param name="OccurredAt">When, UTC.</param>
/// <param name="Actor">Id of the user who did it.</param>
/// <param name="Action">What, such as `secret.read`.</param>
/// <param name="Target">To what: the name of a secret, else an id.</param>
/// <param name="Detail">More about it.</param>
/// <param name="UserId">The user whose it is; null for what is the organization's alone.</param>
/// <param name="Address">The caller's address, where known.</param>
/// <param name="ApiKeyId">Id of the key that the caller came with; null for none.</param>
/// <param name="RequestId">Id of the request, as in traces.</param>
/// <param name="Position">Place in the sealed chain; null until it is sealed, about a second.</param>
public sealed record AuditedEvent(
    string Id, DateTimeOffset OccurredAt, string Actor, string Action, string Target, string Detail, string? UserId, string? Address, string? ApiKeyId,
    string? RequestId, long? Position)
{
    internal static AuditedEvent From(AuditEvent audited) => new(
        audited.Id, audited.OccurredAt, audited.Actor, audited.Action, audited.Target, audited.Detail, audited.UserId, audited.Address, audited.ApiKeyId,
        audited.RequestId, audited.Position);
}
