using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Sessions;

namespace OpenHands.Api.Sessions;

/// <summary>Saved states of work: the caller's own, and those in an organization.</summary>
internal static class SessionsApi
{
    private const string One = "/{session:id}";

    // The state and what is around it; a state that is too large by itself is found after merging.
    private const int MaxBodyBytes = Session.MostStateBytes + (64 * 1024);

    /// <summary>Maps both.</summary>
    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        Map(routes.MapGroup("/api/v1/sessions"));
        Map(routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}/sessions"))
            .AddEndpointFilter<MembershipFilter>();
    }

    /// <summary>The sessions, oldest first.</summary>
    internal static async Task<Results<Ok<Page<SavedSession>>, ProblemHttpResult>> ListAsync(
        [AsParameters] PageRequest page, SessionStore store, CancellationToken cancellationToken) =>
        page.Problem ?? (Results<Ok<Page<SavedSession>>, ProblemHttpResult>)TypedResults.Ok(
            page.Of(await store.ListAsync(page.After, page.Most, cancellationToken), session => session.Id));

    /// <summary>Saves a new session: `state`, an object, and perhaps `conversation_id` and `expires_at`.</summary>
    internal static async Task<Results<Created<SavedSession>, ProblemHttpResult>> CreateAsync(
        PostedObject posted, SessionStore store, HttpContext context, CancellationToken cancellationToken)
    {
        if (NewSession.Read(posted.Members) is not { } session)
            return TypedResults.Problem(NewSession.Expected, statusCode: StatusCodes.Status422UnprocessableEntity);

        var (saved, outcome) = await store.CreateAsync(session.State, session.ConversationId, session.ExpiresAt, cancellationToken);
        if (saved is null)
            return Problem(outcome);
        context.Response.Headers.ETag = EntityTag.Of(saved.Version);
        return TypedResults.Created($"{context.Request.Path}/{saved.Id}", saved);
    }

    /// <summary>One session.</summary>
    internal static async Task<Results<Ok<SavedSession>, ProblemHttpResult>> ReadAsync(
        string session, SessionStore store, HttpResponse response, CancellationToken cancellationToken) =>
        await store.FindAsync(session, cancellationToken) is { } saved ? Tagged(saved, response) : Problem(SessionOutcome.NotFound);

    /// <summary>
    /// Merges a JSON merge patch (RFC 7396) into the state. If-Match must name the version that the patch was made for, or `*`
    /// to merge into whatever is there.
    /// </summary>
    internal static async Task<Results<Ok<SavedSession>, ProblemHttpResult>> PatchAsync(
        string session, PostedObject patch, [FromHeader(Name = "If-Match")] string? ifMatch, SessionStore store, HttpResponse response,
        CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(ifMatch))
        {
            return TypedResults.Problem(
                "Send If-Match with the ETag that the change was made for, or with * for any.", statusCode: StatusCodes.Status428PreconditionRequired);
        }

        var (saved, outcome) = await store.PatchAsync(session, patch.Members, EntityTag.Read(ifMatch), cancellationToken);
        return saved is null ? Problem(outcome) : Tagged(saved, response);
    }

    /// <summary>Deletes a session. With If-Match only the version that it names.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string session, [FromHeader(Name = "If-Match")] string? ifMatch, SessionStore store, CancellationToken cancellationToken)
    {
        var outcome = await store.DeleteAsync(session, EntityTag.Read(ifMatch), cancellationToken);
        return outcome == SessionOutcome.Done ? TypedResults.NoContent() : Problem(outcome);
    }

    private static RouteGroupBuilder Map(RouteGroupBuilder sessions)
    {
        sessions.WithTags("Sessions").ActAsTenant(ApiKeyScopes.Sessions);
        sessions.MapGet("/", ListAsync);
        sessions.MapPost("/", CreateAsync).Accepts<NewSession>("application/json").WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes)).Idempotent();
        sessions.MapGet(One, ReadAsync);
        sessions.MapPatch(One, PatchAsync).Accepts<JsonObject>("application/merge-patch+json").WithMetadata(new RequestSizeLimitAttribute(MaxBodyBytes));
        sessions.MapDelete(One, DeleteAsync);
        return sessions;
    }

    private static Ok<SavedSession> Tagged(SavedSession session, HttpResponse response)
    {
        response.Headers.ETag = EntityTag.Of(session.Version);
        return TypedResults.Ok(session);
    }

    private static ProblemHttpResult Problem(SessionOutcome outcome)
    {
        var (status, message) = outcome switch
        {
            SessionOutcome.NotFound => (StatusCodes.Status404NotFound, "There is no such session."),
            SessionOutcome.Changed => (StatusCodes.Status412PreconditionFailed, "Somebody else changed the session meanwhile. Read it again."),
            SessionOutcome.TooLarge => (StatusCodes.Status413PayloadTooLarge, $"The state may have at most {Session.MostStateBytes} bytes."),
            SessionOutcome.NotStorable => (StatusCodes.Status422UnprocessableEntity, "The state has a text or a number that cannot be stored."),
            _ => throw new InvalidOperationException($"{outcome} is no problem."),
        };
        return TypedResults.Problem(message, statusCode: status);
    }
}

/// <summary>A session to be saved.</summary>
/// <param name="State">The state.</param>
/// <param name="ConversationId">The conversation it belongs to; null for none.</param>
/// <param name="ExpiresAt">From when it counts as gone; null for never.</param>
public sealed record NewSession(JsonObject State, string? ConversationId, DateTimeOffset? ExpiresAt)
{
    internal const string Expected =
        "The body must be an object with state, an object, and perhaps conversation_id, text of at most 100 characters, and expires_at, an instant, and nothing else.";

    private static readonly string[] Known = ["state", "conversation_id", "expires_at"];

    /// <summary>Reads posted members; null when they are not as <see cref="Expected"/> says.</summary>
    internal static NewSession? Read(JsonObject members)
    {
        try
        {
            if (members["state"] is not JsonObject state || members.Any(member => !Known.Contains(member.Key)))
                return null;

            var conversation = members["conversation_id"]?.GetValue<string>();
            var expires = members["expires_at"]?.GetValue<DateTimeOffset>().ToUniversalTime();
            return conversation?.Length > 100 || conversation?.Any(char.IsControl) == true ? null : new NewSession(state, conversation, expires);
        }
        catch (Exception wrongType) when (wrongType is InvalidOperationException or FormatException or JsonException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }
}
