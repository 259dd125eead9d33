using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using OpenHands.Api;
using OpenHands.Api.Auth;
using OpenHands.Storage;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Queues;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>The real API with one route more, which enqueues a task of <see cref="EffectHandler"/>. It may be killed at any moment.</summary>
internal static class ChaosApi
{
    /// <summary>Its verb.</summary>
    public const string Verb = "chaos-api";

    /// <summary>The route: POST, answered with 204 once the task is committed.</summary>
    public const string Route = "/api/v1/chaos";

    /// <summary>What its first line begins with; its address follows.</summary>
    public const string Listens = "chaos-api listens on ";

    /// <summary>Runs until it is killed.</summary>
    /// <param name="args">Configuration.</param>
    public static async Task<int> RunAsync(string[] args)
    {
        await using var app = ApiApplication.Build(args);
        app.MapPost(Route, EnqueueAsync).ActAsTenant(ApiKeyScopes.Sessions);
        await app.StartAsync();
        Console.WriteLine(Listens + app.Urls.Single());
        await app.WaitForShutdownAsync();
        return 0;
    }

    // Every second time in a transaction of the caller's, as a route does that changes something; else together with whoever enqueues at the same time.
    private static async Task<IResult> EnqueueAsync(EffectOrder order, TaskQueue queue, OpenHandsDb db, CancellationToken cancellationToken)
    {
        var task = new NewTask("chaos", EffectHandler.Type, new JsonObject { ["key"] = order.Key, ["ms"] = order.Milliseconds })
        {
            IdempotencyKey = order.Key,
            FairnessKey = order.Key[^1..],
        };
        if (!order.InTransaction)
        {
            await queue.EnqueueAsync(task, cancellationToken);
            return Results.NoContent();
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await queue.EnqueueAsync(task, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return Results.NoContent();
    }
}

/// <summary>The body of the route.</summary>
/// <param name="Key">Idempotency key of the task and of its effect.</param>
/// <param name="Milliseconds">How long its handler works.</param>
/// <param name="InTransaction">Whether the route has a transaction of its own.</param>
internal sealed record EffectOrder(string Key, int Milliseconds, bool InTransaction);
