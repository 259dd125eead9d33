using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Worker.Operators;

/// <summary>All tenants' queues over HTTP, on the worker's own port.</summary>
public sealed class OperatorsApiTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Queues_and_tasks_are_seen_and_changed()
    {
        var id = Assert.Single(await _queues.EnqueueAsync("q", 7));
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none"]);
        using var client = new HttpClient { BaseAddress = worker.Address };
        client.DefaultRequestHeaders.Add("X-OpenHands-Operator", "1");

        Assert.Equal(1, (int)(await client.GetFromJsonAsync<JsonNode>("/api/v1/queues", Cancelled))![0]!["waiting"]!);
        Assert.Equal("7", (string)(await client.GetFromJsonAsync<JsonNode>($"/api/v1/tasks/{id}", Cancelled))!["payload"]!);
        Assert.Equal(worker.Id, (string)(await client.GetFromJsonAsync<JsonNode>("/api/v1/workers", Cancelled))![0]!["id"]!);
        Assert.Equal(id, (string)(await client.GetFromJsonAsync<JsonNode>("/api/v1/tasks?queue=q&status=waiting", Cancelled))![0]!["id"]!);
        Assert.Empty((await client.GetFromJsonAsync<JsonArray>("/api/v1/refused", Cancelled))!);
        await StatusAsync(client, HttpStatusCode.NoContent, HttpMethod.Post, $"/api/v1/tasks/{id}/cancel");
        await StatusAsync(client, HttpStatusCode.Conflict, HttpMethod.Post, $"/api/v1/tasks/{id}/cancel");
        await StatusAsync(client, HttpStatusCode.NoContent, HttpMethod.Post, $"/api/v1/tasks/{id}/replay");
        await StatusAsync(client, HttpStatusCode.NotFound, HttpMethod.Post, "/api/v1/tasks/none/cancel");
        await StatusAsync(client, HttpStatusCode.UnprocessableEntity, HttpMethod.Delete, "/api/v1/queues/q/tasks?status=leased");
        await StatusAsync(client, HttpStatusCode.OK, HttpMethod.Delete, "/api/v1/queues/q/tasks?status=waiting");
        await StatusAsync(client, HttpStatusCode.OK, HttpMethod.Post, "/api/v1/queues/q/replay");
        Assert.Empty(await _queues.TasksAsync("id"));
    }

    [Fact]
    public async Task A_value_that_is_no_task_is_inspected_and_judged_again()
    {
        await _queues.Postgres.QueryAsync(
            """
            INSERT INTO dead_letters (id, queue, value, reason, created_at)
            VALUES ('a', 'q', 'rubbish', 'The value is not JSON.', now()), ('b', 'q', '{"type":"test","payload":7}', 'An older version did not read it.', now())
            """);
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none"]);
        using var client = new HttpClient { BaseAddress = worker.Address };
        client.DefaultRequestHeaders.Add("X-OpenHands-Operator", "1");

        Assert.Equal("rubbish", (string)(await client.GetFromJsonAsync<JsonNode>("/api/v1/refused/a", Cancelled))!["value"]!);
        using var answer = await client.PostAsync("/api/v1/refused/a/replay", null, Cancelled);
        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Equal("It is still no task: The value is not JSON.", (string)(await answer.Content.ReadFromJsonAsync<JsonNode>(Cancelled))!["detail"]!);
        await StatusAsync(client, HttpStatusCode.NoContent, HttpMethod.Post, "/api/v1/refused/b/replay");
        await StatusAsync(client, HttpStatusCode.NotFound, HttpMethod.Post, "/api/v1/refused/b/replay");
        await StatusAsync(client, HttpStatusCode.NotFound, HttpMethod.Get, "/api/v1/refused/b");
        Assert.Equal(["b|q|test|7|waiting"], await _queues.TasksAsync("id, queue, type, payload, status"));
        Assert.Equal(["a"], await _queues.Postgres.QueryAsync("SELECT id FROM dead_letters"));
    }

    [Fact]
    public async Task Tasks_that_wait_for_another_attempt_are_found_and_a_state_that_there_is_not_is_refused()
    {
        var ids = await _queues.EnqueueAsync("q", 1, 2);
        await _queues.Postgres.QueryAsync("UPDATE tasks SET status = 'scheduled'");
        await _queues.Postgres.QueryAsync($"UPDATE tasks SET attempt = 1 WHERE id = '{ids[1]}'");
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none"]);
        using var client = new HttpClient { BaseAddress = worker.Address };

        Assert.Equal(ids[1], (string)Assert.Single((await client.GetFromJsonAsync<JsonArray>("/api/v1/tasks?status=retrying", Cancelled))!)!["id"]!);
        Assert.Equal(2, (await client.GetFromJsonAsync<JsonArray>("/api/v1/tasks?status=scheduled", Cancelled))!.Count);
        await StatusAsync(client, HttpStatusCode.UnprocessableEntity, HttpMethod.Get, "/api/v1/tasks?status=lost");
        await StatusAsync(client, HttpStatusCode.BadRequest, HttpMethod.Get, "/api/v1/tasks?limit=many");
    }

    [Fact]
    public async Task Without_a_key_a_foreign_name_and_an_unasked_change_are_refused()
    {
        await using var worker = await WorkerHost.StartAsync(_queues);
        using var client = new HttpClient { BaseAddress = worker.Address };
        await StatusAsync(client, HttpStatusCode.OK, HttpMethod.Get, "/api/v1/queues");
        await StatusAsync(client, HttpStatusCode.Forbidden, HttpMethod.Post, "/api/v1/queues/q/replay");
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/api/v1/queues") { Headers = { Host = "evil.example" } };
        using var answer = await client.SendAsync(rebound, Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task With_a_key_nobody_gets_in_without_it()
    {
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Operators:Key=s3cret"]);
        using var client = new HttpClient { BaseAddress = worker.Address };
        client.DefaultRequestHeaders.Add("X-OpenHands-Operator", "1");
        await StatusAsync(client, HttpStatusCode.Unauthorized, HttpMethod.Get, "/api/v1/queues");
        await StatusAsync(client, HttpStatusCode.Unauthorized, HttpMethod.Get, "/api/v1/refused/a");
        await StatusAsync(client, HttpStatusCode.Unauthorized, HttpMethod.Post, "/api/v1/refused/a/replay");
        client.DefaultRequestHeaders.Authorization = new("Bearer", "s3cret");
        await StatusAsync(client, HttpStatusCode.OK, HttpMethod.Post, "/api/v1/queues/q/replay");
    }

    private static async Task StatusAsync(HttpClient client, HttpStatusCode expected, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var answer = await client.SendAsync(request, Cancelled);
        Assert.True(expected == answer.StatusCode, $"{method} {path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Cancelled)}");
    }
}
