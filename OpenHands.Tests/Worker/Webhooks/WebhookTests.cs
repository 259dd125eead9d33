using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.Webhooks;
using OpenHands.Tests.Support;
using OpenHands.Worker.Queues;
using OpenHands.Worker.Webhooks;

namespace OpenHands.Tests.Worker.Webhooks;

/// <summary>Events of an organization from the request that causes them to the receiver.</summary>
public sealed class WebhookTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private readonly ConcurrentQueue<(Dictionary<string, string> Headers, string Body)> _received = new();
    private TestQueues _queues = null!; // set before every test
    private ApiHost _api = null!;
    private WebApplication _receiver = null!;
    private int _answer = 200;

    public async ValueTask InitializeAsync()
    {
        _queues = await TestQueues.CreateAsync(server, redis);
        _api = await ApiHost.StartAsync([$"ConnectionStrings:openhands={_queues.Postgres.App}", $"ConnectionStrings:redis={_queues.Redis.ConnectionString}"]);
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        _receiver = builder.Build();
        _receiver.MapPost("/hook", async (HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            _received.Enqueue((request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), await reader.ReadToEndAsync()));
            return Results.StatusCode(Volatile.Read(ref _answer));
        });
        await _receiver.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _receiver.DisposeAsync();
        await _queues.DisposeAsync();
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_event_is_sent_signed_and_logged()
    {
        await using var worker = await StartAsync("Webhooks:AllowPrivateNetworks=true");
        var organization = await OrganizationAsync();
        var made = await SendAsync(HttpMethod.Post, $"{organization}/webhooks", new { url = Hook, event_types = new[] { "organization.updated" } });
        var (id, secret) = ((string)made["webhook"]!["id"]!, (string)made["secret"]!);
        await SendAsync(HttpMethod.Put, organization, new { name = "Apex" });

        await Eventually.TrueAsync("it was received", () => !_received.IsEmpty);
        Assert.True(_received.TryDequeue(out var got));
        Assert.Equal("organization.updated", (string)JsonNode.Parse(got.Body)!["type"]!);
        Assert.Equal("Apex", (string)JsonNode.Parse(got.Body)!["data"]!["name"]!);
        Assert.Equal(
            WebhookSignature.Sign(Convert.FromBase64String(secret["whsec_".Length..]), got.Headers["webhook-id"]!, long.Parse(got.Headers["webhook-timestamp"]!), Encoding.UTF8.GetBytes(got.Body)),
            got.Headers["webhook-signature"]);
        await Eventually.TrueAsync("it is logged", async () => (await ListAsync($"{organization}/webhooks/{id}/deliveries")) is [{ } delivery]
            && (string)delivery["status"]! == "delivered" && (int)delivery["response_status"]! == 200 && (string)delivery["id"]! == got.Headers["webhook-id"]);
        Assert.DoesNotContain(secret["whsec_".Length..], string.Join('\n', await _queues.Postgres.QueryAsync("SELECT webhooks::text FROM webhooks")));
    }

    [Fact]
    public async Task One_trace_leads_from_the_request_to_the_task_that_it_caused()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Microsoft.AspNetCore" or WorkerMetrics.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var worker = await StartAsync("Webhooks:AllowPrivateNetworks=true");
        var organization = await OrganizationAsync();
        await SendAsync(HttpMethod.Post, $"{organization}/webhooks", new { url = Hook, event_types = new[] { "organization.updated" } });
        ActivityTraceId trace;
        using (var caller = new Activity("caller").SetIdFormat(ActivityIdFormat.W3C).Start())
        {
            trace = caller.TraceId;
            await SendAsync(HttpMethod.Put, organization, new { name = "Apex" });
        }

        Activity[] Spans(string source, ActivityKind kind) => [.. ended.Where(span => span.TraceId == trace && span.Source.Name == source && span.Kind == kind)];
        await Eventually.TrueAsync("both spans have ended", () => Spans(WorkerMetrics.Name, ActivityKind.Consumer).Length > 0 && Spans("Microsoft.AspNetCore", ActivityKind.Server).Length > 0);
        var (request, task) = (Assert.Single(Spans("Microsoft.AspNetCore", ActivityKind.Server)), Assert.Single(Spans(WorkerMetrics.Name, ActivityKind.Consumer)));
        Assert.Equal("process webhooks", task.DisplayName);
        Assert.Equal(request.SpanId, task.ParentSpanId);
        Assert.Equal([$"00-{trace}-{request.SpanId}-01|{task.GetTagItem("messaging.message.id")}"], await _queues.TasksAsync("trace_parent, id", "type LIKE 'webhooks.%' AND queue = 'webhooks'"));
    }

    [Fact]
    public async Task A_receiver_that_fails_is_asked_again_with_the_same_id()
    {
        Volatile.Write(ref _answer, 503);
        await using var worker = await StartAsync("Webhooks:AllowPrivateNetworks=true", "Worker:RetryDelay=00:00:00.01");
        var organization = await OrganizationAsync();
        var id = (string)(await SendAsync(HttpMethod.Post, $"{organization}/webhooks", new { url = Hook }))["webhook"]!["id"]!;
        var sent = (string)(await SendAsync(HttpMethod.Post, $"{organization}/webhooks/{id}/ping"))["id"]!;

        await Eventually.TrueAsync("it was tried twice", () => _received.Count >= 2);
        Volatile.Write(ref _answer, 204);
        await Eventually.TrueAsync("it is delivered", async () => (await ListAsync($"{organization}/webhooks/{id}/deliveries")) is [{ } delivery]
            && (string)delivery["status"]! == "delivered" && (int)delivery["attempts"]! >= 3);
        Assert.All(_received, got => Assert.Equal(sent, got.Headers["webhook-id"]));
    }

    [Fact]
    public async Task No_webhook_leads_to_this_machine_unless_it_is_allowed()
    {
        await using var worker = await StartAsync("Worker:RetryDelay=00:00:00.001");
        var organization = await OrganizationAsync();
        var id = (string)(await SendAsync(HttpMethod.Post, $"{organization}/webhooks", new { url = Hook.Replace("127.0.0.1", "localhost") }))["webhook"]!["id"]!;
        await SendAsync(HttpMethod.Post, $"{organization}/webhooks/{id}/ping");

        await Eventually.TrueAsync("it is given up", async () => (await ListAsync($"{organization}/webhooks/{id}/deliveries")) is [{ } delivery]
            && (string)delivery["status"]! == "failed" && ((string)delivery["error"]!).Contains("private network", StringComparison.Ordinal));
        Assert.Empty(_received);
    }

    [Fact]
    public async Task A_change_that_is_refused_is_not_told()
    {
        var organization = await OrganizationAsync();
        await SendAsync(HttpMethod.Post, $"{organization}/webhooks", new { url = Hook });
        using var refused = await _api.Client.SendAsync(new HttpRequestMessage(HttpMethod.Delete, $"{organization}/members/{OpenHands.Api.Auth.LocalUser.Id}"), Cancelled);

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode); // the last admin
        Assert.Empty(await _queues.TasksAsync("id"));
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.20.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2606:4700:4700::1111", true)]
    public void Only_addresses_of_the_public_Internet_are_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));

    [Fact]
    public void A_signature_is_that_of_Standard_Webhooks() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSignature.Sign(Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, Encoding.UTF8.GetBytes("""{"test": 2432232314}""")));

    private string Hook => _receiver.Urls.Single() + "/hook";

    private Task<WorkerHost> StartAsync(params string[] settings) =>
        WorkerHost.StartAsync(_queues, settings: [$"ConnectionStrings:secrets={ApiHost.KeyRing}", .. settings]);

    private async Task<string> OrganizationAsync() =>
        $"/api/v1/organizations/{(await ReadAsync("/api/v1/organizations"))["items"]![0]!["id"]}";

    private async Task<JsonArray> ListAsync(string path) => (await ReadAsync(path)).AsArray();

    private async Task<JsonNode> ReadAsync(string path) => JsonNode.Parse(await _api.Client.GetStringAsync(path, Cancelled))!;

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : System.Net.Http.Json.JsonContent.Create(body) };
        using var answer = await _api.Client.SendAsync(request, Cancelled);
        var text = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
