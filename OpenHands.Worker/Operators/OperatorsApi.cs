using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Operators;

/// <summary>
/// The same over HTTP, on the worker's own port, which belongs to operators: all tenants' queues and tasks. Open to who has the key
/// <c>Operators:Key</c>; where none is set, to requests on loopback alone, and changes only with a header that no web page can send unasked.
/// </summary>
internal static class OperatorsApi
{
    private const string Header = "X-OpenHands-Operator";
    private const int Most = 1000;

    /// <summary>What <c>status</c> may ask for beside the states: those that wait for another attempt.</summary>
    private const string Retrying = "retrying";

    /// <summary>Maps the routes.</summary>
    public static void MapOperators(this WebApplication application)
    {
        var api = application.MapGroup("/api/v1").AddEndpointFilter<OperatorGate>();
        api.MapGet("/queues", ListAsync);
        api.MapGet("/queues/minutes", MinutesAsync);
        api.MapGet("/workers", WorkersAsync);
        api.MapGet("/tasks", TasksAsync);
        api.MapGet("/tasks/{id}", ShowAsync);
        api.MapGet("/refused", RefusedAsync);
        api.MapGet("/refused/{id}", ShowRefusedAsync);
        api.MapPost("/refused/{id}/replay", ReplayRefusedAsync);
        api.MapPost("/tasks/{id}/cancel", CancelAsync);
        api.MapPost("/tasks/{id}/replay", ReplayAsync);
        api.MapPost("/queues/{queue}/replay", ReplayAllAsync);
        api.MapDelete("/queues/{queue}/tasks", PurgeAsync);
    }

    /// <summary>Adds what the routes need.</summary>
    public static void AddOperators(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(new OperatorKey(builder.Configuration["Operators:Key"]));
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        builder.Services.AddProblemDetails();
    }

    internal static async Task<Ok<IReadOnlyList<QueueOverview>>> ListAsync(SystemQueues system, CancellationToken cancellationToken)
    {
        var (db, tasks) = system.Open();
        await using (db)
            return TypedResults.Ok(await tasks.QueuesAsync(cancellationToken));
    }

    internal static async Task<Ok<IReadOnlyList<QueueMinute>>> MinutesAsync(SystemQueues system, int? minutes, CancellationToken cancellationToken) =>
        TypedResults.Ok(await system.MinutesAsync(Math.Clamp(minutes ?? 60, 1, 1440), cancellationToken));

    internal static async Task<Ok<IReadOnlyList<WorkerOverview>>> WorkersAsync(SystemQueues system, CancellationToken cancellationToken) =>
        TypedResults.Ok(await system.WorkersAsync(cancellationToken));

    internal static async Task<Ok<IReadOnlyList<RefusedValue>>> RefusedAsync(SystemQueues system, string? queue, int? limit, CancellationToken cancellationToken) =>
        TypedResults.Ok(await system.RefusedAsync(queue, Math.Clamp(limit ?? 50, 1, Most), cancellationToken));

    internal static async Task<Results<Ok<RefusedContent>, ProblemHttpResult>> ShowRefusedAsync(string id, SystemQueues system, CancellationToken cancellationToken) =>
        await system.FindRefusedAsync(id, cancellationToken) is { } value ? TypedResults.Ok(value) : Problem(TaskChange.NotFound);

    internal static async Task<Results<NoContent, ProblemHttpResult>> ReplayRefusedAsync(string id, SystemQueues system, CancellationToken cancellationToken) =>
        await system.ReplayRefusedAsync(id, cancellationToken) switch
        {
            { Change: TaskChange.Done } => TypedResults.NoContent(),
            { Reason: { } reason } => TypedResults.Problem($"It is still no task: {reason}", statusCode: StatusCodes.Status409Conflict),
            var other => Problem(other.Change),
        };

    internal static async Task<Results<Ok<IReadOnlyList<TaskSummary>>, ProblemHttpResult>> TasksAsync(
        SystemQueues system, string? queue, string? status, string? type, string? before, int? limit, CancellationToken cancellationToken)
    {
        if (status is not (null or Retrying) && !QueuedTaskStatus.All.Contains(status))
            return TypedResults.Problem($"status must be one of {string.Join(", ", QueuedTaskStatus.All)} and {Retrying}.", statusCode: StatusCodes.Status422UnprocessableEntity);
        var filter = status == Retrying ? new TaskFilter(queue, QueuedTaskStatus.Scheduled, type, Failed: true) : new TaskFilter(queue, status, type);
        var (db, tasks) = system.Open();
        await using (db)
            return TypedResults.Ok(await tasks.TasksAsync(filter, before, Math.Clamp(limit ?? 50, 1, Most), cancellationToken));
    }

    internal static async Task<Results<Ok<TaskDetail>, ProblemHttpResult>> ShowAsync(string id, SystemQueues system, CancellationToken cancellationToken)
    {
        var (db, tasks) = system.Open();
        await using (db)
            return await tasks.FindAsync(id, cancellationToken) is { } task ? TypedResults.Ok(task) : Problem(TaskChange.NotFound);
    }

    internal static Task<Results<NoContent, ProblemHttpResult>> CancelAsync(string id, SystemQueues system, CancellationToken cancellationToken) =>
        ChangeAsync(system, tasks => tasks.CancelAsync(id, cancellationToken));

    internal static Task<Results<NoContent, ProblemHttpResult>> ReplayAsync(string id, SystemQueues system, CancellationToken cancellationToken) =>
        ChangeAsync(system, tasks => tasks.ReplayAsync(id, cancellationToken));

    internal static async Task<Ok<Changed>> ReplayAllAsync(string queue, int? limit, SystemQueues system, CancellationToken cancellationToken)
    {
        var (db, tasks) = system.Open();
        await using (db)
            return TypedResults.Ok(new Changed(await tasks.ReplayAllAsync(queue, Math.Clamp(limit ?? Most, 1, 100_000), cancellationToken)));
    }

    internal static async Task<Results<Ok<Changed>, ProblemHttpResult>> PurgeAsync(string queue, string? status, SystemQueues system, CancellationToken cancellationToken)
    {
        if (status is null or QueuedTaskStatus.Leased || !QueuedTaskStatus.All.Contains(status))
            return TypedResults.Problem("status must be one of scheduled, waiting, done, cancelled and dead.", statusCode: StatusCodes.Status422UnprocessableEntity);
        var (db, tasks) = system.Open();
        await using (db)
            return TypedResults.Ok(new Changed(await tasks.PurgeAsync(queue, status, cancellationToken)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> ChangeAsync(SystemQueues system, Func<TaskDirectory, Task<TaskChange>> changeAsync)
    {
        var (db, tasks) = system.Open();
        await using (db)
        {
            var change = await changeAsync(tasks);
            return change == TaskChange.Done ? TypedResults.NoContent() : Problem(change);
        }
    }

    private static ProblemHttpResult Problem(TaskChange change) => change == TaskChange.NotFound
        ? TypedResults.Problem("There is no such task.", statusCode: StatusCodes.Status404NotFound)
        : TypedResults.Problem("The task is in a state in which this cannot be done.", statusCode: StatusCodes.Status409Conflict);

    /// <summary>How many tasks were changed.</summary>
    internal sealed record Changed(int Count);

    /// <summary>What operators present; null for none.</summary>
    internal sealed record OperatorKey(string? Value);

    private sealed class OperatorGate(OperatorKey key) : IEndpointFilter
    {
        public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
        {
            var http = context.HttpContext;
            return Lets(http) ? await next(context) : TypedResults.Problem(
                key.Value is { Length: > 0 }
                    ? "Present the operators' key: Authorization: Bearer …"
                    : $"Without Operators:Key these routes answer on loopback alone, and a change needs the header {Header}.",
                statusCode: key.Value is { Length: > 0 } ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden);
        }

        private bool Lets(HttpContext http)
        {
            if (key.Value is { Length: > 0 } secret)
            {
                return CryptographicOperations.FixedTimeEquals(
                    SHA256.HashData(Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString())), SHA256.HashData(Encoding.UTF8.GetBytes("Bearer " + secret)));
            }

            // A name that leads here by a trick of DNS is no loopback name.
            return http.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer)
                && http.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]"
                && (HttpMethods.IsGet(http.Request.Method) || http.Request.Headers.ContainsKey(Header));
        }
    }
}
