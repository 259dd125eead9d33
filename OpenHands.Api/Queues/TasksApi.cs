using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using OpenHands.Api.Auth;
using OpenHands.Api.Http;
using OpenHands.Storage;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Queues;

namespace OpenHands.Api.Queues;

/// <summary>
/// An organization's queues and tasks, for its admins alone. What concerns all tenants is not here: operators have the worker's
/// own port and command line.
/// </summary>
internal static class TasksApi
{
    private const string Tasks = "/tasks";
    private const string One = Tasks + "/{task:id}";

    /// <summary>Maps the routes.</summary>
    public static void MapTasks(this IEndpointRouteBuilder routes)
    {
        var organization = routes.MapGroup($"/api/v1/organizations/{{{TenantEntry.Organization}:{EntityIdConstraint.Name}}}").WithTags("Tasks")
            .ActAsTenant(ApiKeyScopes.Organizations).ForAdmins(ApiKeyScopes.Organizations).AddEndpointFilter<AdminFilter>();
        organization.MapGet("/queues", QueuesAsync);
        organization.MapGet(Tasks, ListAsync);
        organization.MapGet(One, ReadAsync);
        organization.MapPost(One + "/cancel", CancelAsync);
        organization.MapPost(One + "/replay", ReplayAsync);
    }

    /// <summary>The queues that have tasks of the organization: depth, age of the oldest, running, retrying, dead, and what ended lately.</summary>
    internal static async Task<Ok<IReadOnlyList<QueueOverview>>> QueuesAsync(string organization, OpenHandsDb db, CancellationToken cancellationToken) =>
        TypedResults.Ok(await new TaskDirectory(db, organization).QueuesAsync(cancellationToken));

    /// <summary>The organization's tasks, newest first; `queue`, `status` and `type` choose.</summary>
    internal static async Task<Results<Ok<Page<TaskSummary>>, ProblemHttpResult>> ListAsync(
        string organization, [AsParameters] PageRequest page, [FromQuery] string? queue, [FromQuery] string? status, [FromQuery] string? type,
        OpenHandsDb db, CancellationToken cancellationToken)
    {
        if (page.Problem is { } problem)
            return problem;
        if (status is not null && !QueuedTaskStatus.All.Contains(status))
            return TypedResults.Problem($"status must be one of {string.Join(", ", QueuedTaskStatus.All)}.", statusCode: StatusCodes.Status422UnprocessableEntity);
        if (queue?.Contains('\0') == true || type?.Contains('\0') == true)
            return TypedResults.Problem("queue and type contain no NUL.", statusCode: StatusCodes.Status422UnprocessableEntity);
        var rows = await new TaskDirectory(db, organization).TasksAsync(new TaskFilter(queue, status, type), page.PageId, page.Most, cancellationToken);
        return TypedResults.Ok(page.Of(rows, task => task.Id));
    }

    /// <summary>Everything about a task; `payload`, `progress` and `result` are JSON as text.</summary>
    internal static async Task<Results<Ok<TaskDetail>, ProblemHttpResult>> ReadAsync(
        string organization, string task, OpenHandsDb db, CancellationToken cancellationToken) =>
        await new TaskDirectory(db, organization).FindAsync(task, cancellationToken) is { } found ? TypedResults.Ok(found) : Problem(TaskChange.NotFound);

    /// <summary>Calls a task off, also while it runs.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> CancelAsync(string organization, string task, OpenHandsDb db, CancellationToken cancellationToken) =>
        Answer(await new TaskDirectory(db, organization).CancelAsync(task, cancellationToken));

    /// <summary>Runs a dead letter or a cancelled task again, with all its attempts.</summary>
    internal static async Task<Results<NoContent, ProblemHttpResult>> ReplayAsync(string organization, string task, OpenHandsDb db, CancellationToken cancellationToken) =>
        Answer(await new TaskDirectory(db, organization).ReplayAsync(task, cancellationToken));

    private static Results<NoContent, ProblemHttpResult> Answer(TaskChange change) => change == TaskChange.Done ? TypedResults.NoContent() : Problem(change);

    private static ProblemHttpResult Problem(TaskChange change) => change == TaskChange.NotFound
        ? TypedResults.Problem("There is no such task.", statusCode: StatusCodes.Status404NotFound)
        : TypedResults.Problem("The task is in a state in which this cannot be done.", statusCode: StatusCodes.Status409Conflict);
}
