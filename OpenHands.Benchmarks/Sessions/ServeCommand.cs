using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using OpenHands.Api;
using OpenHands.Storage;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.RateLimits;
using OpenHands.Storage.Sessions;
using StackExchange.Redis;

namespace OpenHands.Benchmarks.Sessions;

/// <summary>Serves sessions for the benchmarks: the product, or the least that could do the same.</summary>
internal static class ServeCommand
{
    private static readonly RateLimitPolicy[] Policies =
        [.. new[] { "user", "api-key", "organization" }.Select(name => new RateLimitPolicy(name, 1_000_000, TimeSpan.FromMinutes(1)))];

    /// <summary>Serves until its input ends, and writes its address.</summary>
    public static async Task RunAsync(string kind, CancellationToken cancellationToken)
    {
        string[] settings = ["--urls=http://127.0.0.1:0", "--Logging:LogLevel:Default=Warning"];
        await using var app = kind == "product" ? ApiApplication.Build(settings) : Bare(settings);
        await app.StartAsync(cancellationToken);
        Console.WriteLine(app.Urls.Single());
        await Console.In.ReadToEndAsync(cancellationToken);
    }

    // The same check of the key and one call of the limiter; then one GET of what the product keeps in Redis, sent as it is, or the change.
    private static WebApplication Bare(string[] settings)
    {
        var builder = WebApplication.CreateBuilder(settings);
        builder.AddNpgsqlDbContext<OpenHandsDb>(
            "openhands", settings => settings.DisableRetry = settings.DisableTracing = settings.DisableMetrics = true, options => options.UseOpenHandsDb());
        builder.AddRedisClient("redis", settings => settings.DisableTracing = true);
        builder.AddStorage();
        builder.Services.AddSingleton<ReplicaCount>();
        builder.Services.AddSingleton<LocalLimits>();
        builder.Services.AddSingleton<RateLimiter>();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var app = builder.Build();
        var source = NpgsqlDataSource.Create(DatabaseConnection.WithBounds(builder.Configuration["ConnectionStrings:openhands"]!));
        var (keys, limiter, redis) = (
            app.Services.GetRequiredService<ApiKeyDirectory>(), app.Services.GetRequiredService<RateLimiter>(), app.Services.GetRequiredService<IConnectionMultiplexer>());
        app.MapGet("/api/v1/sessions/{id}", async (string id, HttpContext context) =>
        {
            if (await CallerAsync(context, keys, limiter) is null)
                return Results.Unauthorized();
            var kept = await redis.GetDatabase().StringGetAsync("session:" + id);
            return kept.IsNull ? Results.NotFound() : Results.Bytes((byte[])kept!, "application/json");
        });
        app.MapPatch("/api/v1/sessions/{id}", async (string id, JsonObject patch, HttpContext context) =>
            await CallerAsync(context, keys, limiter) is { } caller ? await PatchAsync(source, caller, id, patch, context.Request.Headers.IfMatch, context.RequestAborted) : Results.Unauthorized());
        return app;
    }

    private static async Task<ApiKeyCaller?> CallerAsync(HttpContext context, ApiKeyDirectory keys, RateLimiter limiter)
    {
        if (context.Request.Headers.Authorization is not [['B', 'e', 'a', 'r', 'e', 'r', ' ', .. var key]] || await keys.FindAsync(key, context.RequestAborted) is not { } caller)
            return null;
        LimitedCaller[] limited = [new(Policies[0], caller.UserId), new(Policies[1], caller.KeyId), new(Policies[2], caller.OrganizationId)];
        return (await limiter.TakeAsync(limited, 1, context.RequestAborted)).IsAllowed ? caller : null;
    }

    // BEGIN, tenant and lock in one round trip; the change and COMMIT in another.
    private static async Task<IResult> PatchAsync(NpgsqlDataSource source, ApiKeyCaller caller, string id, JsonObject patch, string? ifMatch, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (state, version) = ("", 0L);
        await using (var read = new NpgsqlBatch(connection, transaction))
        {
            read.BatchCommands.Add(new NpgsqlBatchCommand("SELECT set_config('app.user_id', $1, true), set_config('app.organization_id', $2, true)")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = caller.UserId }, new NpgsqlParameter<string> { TypedValue = caller.OrganizationId } },
            });
            read.BatchCommands.Add(new NpgsqlBatchCommand("SELECT state::text, version FROM sessions WHERE user_id = $1 AND id = $2 FOR UPDATE")
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = caller.UserId }, new NpgsqlParameter<string> { TypedValue = id } },
            });
            await using var reader = await read.ExecuteReaderAsync(cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return Results.NotFound();
            (state, version) = (reader.GetString(0), reader.GetInt64(1));
        }

        if (ifMatch != "*" && ifMatch != $"\"{version}\"")
            return Results.StatusCode(StatusCodes.Status412PreconditionFailed);
        var merged = MergePatch.Apply(JsonNode.Parse(state), patch)!;
        await using var write = new NpgsqlBatch(connection, transaction);
        write.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE sessions SET state = $1, version = $2, updated_at = now() WHERE user_id = $3 AND id = $4")
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = merged.ToJsonString(), NpgsqlDbType = NpgsqlDbType.Jsonb }, new NpgsqlParameter<long> { TypedValue = version + 1 },
                new NpgsqlParameter<string> { TypedValue = caller.UserId }, new NpgsqlParameter<string> { TypedValue = id },
            },
        });
        write.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        await write.ExecuteNonQueryAsync(cancellationToken);
        return Results.Json(new { id, state = merged, version = version + 1 });
    }
}
