using System.Net;
using System.Net.Http.Headers;
using Aspire.Hosting.ApplicationModel;
using Grpc.Core;
using OpenHands.Hosting.Dashboard.Protocol;
using OpenHands.Tests.Application;
using Message = OpenHands.Hosting.Dashboard.Protocol.Resource;

namespace OpenHands.Tests.Hosting.Dashboard;

/// <summary>What a dashboard, ours or Aspire's, is told of a running application, and what it can do with it.</summary>
public sealed class ResourceServiceTests : IAsyncLifetime
{
    private ServedApplication _application = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _application = await ServedApplication.StartAsync();

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    [Fact]
    public async Task A_dashboard_sees_stops_starts_and_restarts_a_resource()
    {
        using var watch = _application.Client.WatchResources(new WatchResourcesRequest(), ServedApplication.Key, cancellationToken: Token);
        var redis = await SeeAsync(watch, resource => IsHealthy(resource));

        Assert.Equal("Redis", redis.ResourceType);
        Assert.StartsWith("redis-", redis.Name, StringComparison.Ordinal);
        Assert.Equal("redis", redis.DisplayName);
        Assert.NotNull(redis.CreatedAt);
        Assert.NotNull(redis.StartedAt);
        Assert.Equal("redis_check", Assert.Single(redis.HealthReports).Key);
        Assert.Equal("/data", Assert.Single(redis.Volumes).Target);
        Assert.StartsWith("redis://localhost:", Assert.Single(redis.Urls).FullUrl, StringComparison.Ordinal);
        Assert.True(Property(redis, "resource.connectionString").IsSensitive);
        Assert.Contains("redis", Property(redis, "executable.path").Value.StringValue, StringComparison.Ordinal);
        Assert.True(Property(redis, "executable.pid").Value.NumberValue > 1);
        Assert.Equal("docker.io/library/redis:8.6", Property(redis, "container.image").Value.StringValue);
        Assert.Equal(["start Hidden", "stop Enabled", "restart Enabled"], redis.Commands.Select(command => $"{command.Name} {command.State}"));

        await ExecuteAsync(redis, "stop");
        var stopped = await SeeAsync(watch, resource => resource.State == KnownResourceStates.Exited);
        Assert.Equal(["start Enabled", "stop Hidden", "restart Disabled"], stopped.Commands.Select(command => $"{command.Name} {command.State}"));
        Assert.NotNull(stopped.StoppedAt);

        await ExecuteAsync(redis, "start");
        var started = await SeeAsync(watch, IsHealthy);
        Assert.NotEqual(Process(redis), Process(started));

        await ExecuteAsync(redis, "restart");
        var restarted = await SeeAsync(watch, resource => IsHealthy(resource) && Process(resource) != Process(started));
        Assert.Equal(redis.Name, restarted.Name);
    }

    [Fact]
    public async Task A_value_is_told_with_whether_it_is_secret_and_has_no_commands()
    {
        using var watch = _application.Client.WatchResources(new WatchResourcesRequest(), ServedApplication.Key, cancellationToken: Token);
        Assert.True(await watch.ResponseStream.MoveNext(Token));

        var token = Assert.Single(watch.ResponseStream.Current.InitialData.Resources, resource => resource.Name == "token");
        Assert.Equal("Parameter", token.ResourceType);
        Assert.Equal("n0t-to-be-shown", Property(token, "Value").Value.StringValue);
        Assert.True(Property(token, "Value").IsSensitive);
        Assert.Empty(token.Commands);
    }

    [Fact]
    public async Task Console_lines_are_told_from_the_kept_ones_on_in_order_also_a_million_of_them()
    {
        var redis = await RedisAsync();
        for (var i = 0; i < 1_000_000; i++)
        {
            _application.Logs.Write(redis, $"line {i}", isErrorMessage: false);
        }

        using var once = _application.Client.WatchResourceConsoleLogs(
            new WatchResourceConsoleLogsRequest { ResourceName = redis, SuppressFollow = true }, ServedApplication.Key, cancellationToken: Token);
        var lines = new List<ConsoleLogLine>();
        await foreach (var update in once.ResponseStream.ReadAllAsync(Token))
        {
            lines.AddRange(update.LogLines);
        }

        Assert.InRange(lines.Count, ResourceLoggerService.Capacity - 100, ResourceLoggerService.Capacity);
        Assert.Contains(lines, line => line.Text == "line 999999");
        Assert.Equal(lines.Select(line => line.LineNumber).Order(), lines.Select(line => line.LineNumber));

        using var live = _application.Client.WatchResourceConsoleLogs(
            new WatchResourceConsoleLogsRequest { ResourceName = redis }, ServedApplication.Key, cancellationToken: Token);
        _application.Logs.Write(redis, "and one more", isErrorMessage: true);
        while (await live.ResponseStream.MoveNext(Token))
        {
            if (live.ResponseStream.Current.LogLines.Any(line => line is { Text: "and one more", IsStdErr: true }))
            {
                return;
            }
        }

        Assert.Fail("The new line was not told.");
    }

    [Fact]
    public async Task What_is_not_there_is_refused_in_words()
    {
        var redis = await RedisAsync();
        foreach (var (resource, command) in new[] { ("nothing", "stop"), (redis, "explode"), (redis, "start"), ("token", "stop") })
        {
            var answer = await _application.Client.ExecuteResourceCommandAsync(
                new ResourceCommandRequest { ResourceName = resource, CommandName = command }, ServedApplication.Key, cancellationToken: Token);
            Assert.Equal(ResourceCommandResponseKind.Failed, answer.Kind);
            Assert.NotEmpty(answer.ErrorMessage);
        }

        using var logs = _application.Client.WatchResourceConsoleLogs(
            new WatchResourceConsoleLogsRequest { ResourceName = "nothing" }, ServedApplication.Key, cancellationToken: Token);
        var refused = await Assert.ThrowsAsync<RpcException>(() => logs.ResponseStream.MoveNext(Token));
        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task Nobody_without_the_key_is_told_anything()
    {
        foreach (var headers in new Metadata[] { [], new() { { "x-resource-service-api-key", "another" } }, new() { { "x-resource-service-api-key", "" } } })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() =>
                _application.Client.GetApplicationInformationAsync(new ApplicationInformationRequest(), headers, cancellationToken: Token).ResponseAsync);
            Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        }
    }

    [Fact]
    public async Task A_malformed_call_is_refused_and_the_next_one_is_answered()
    {
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (var body in new byte[][] { [], [0, 0, 0, 0, 4, 255, 255, 255, 255], [1, 2, 3], [0, 255, 255, 255, 255, 0] })
        {
            using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_application.Address, "/aspire.v1.DashboardService/ExecuteResourceCommand")) { Content = content };
            request.Version = HttpVersion.Version20;
            request.Headers.Add("x-resource-service-api-key", ServedApplication.ApiKey);
            request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
            using var answer = await http.SendAsync(request, Token);
            await answer.Content.ReadAsByteArrayAsync(Token);
            var status = answer.TrailingHeaders.Concat(answer.Headers).Where(header => header.Key == "grpc-status").SelectMany(header => header.Value).SingleOrDefault();
            Assert.True(!answer.IsSuccessStatusCode || status is not (null or "0"), $"{answer.StatusCode}, grpc-status {status}");
        }

        var application = await _application.Client.GetApplicationInformationAsync(new ApplicationInformationRequest(), ServedApplication.Key, cancellationToken: Token);
        Assert.NotEmpty(application.ApplicationName);
    }

    [Fact]
    public async Task The_stream_of_questions_stays_open_and_asks_nothing()
    {
        using var questions = _application.Client.WatchInteractions(ServedApplication.Key, cancellationToken: Token);
        await questions.RequestStream.WriteAsync(new WatchInteractionsRequestUpdate { InteractionId = 1 }, Token);
        await questions.RequestStream.CompleteAsync();
        Assert.False(await questions.ResponseStream.MoveNext(Token));
    }

    private static bool IsHealthy(Message resource) =>
        resource.State == KnownResourceStates.Running && resource.HealthReports.All(report => report is { HasStatus: true, Status: HealthStatus.Healthy });

    private static double Process(Message resource) => Property(resource, "executable.pid").Value.NumberValue;

    private static ResourceProperty Property(Message resource, string name) => Assert.Single(resource.Properties, property => property.Name == name);

    private static async Task<Message> SeeAsync(AsyncServerStreamingCall<WatchResourcesUpdate> watch, Func<Message, bool> isIt)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(ApplicationFixture.Patience);
        while (await watch.ResponseStream.MoveNext(patience.Token))
        {
            var update = watch.ResponseStream.Current;
            var resources = update.InitialData?.Resources.AsEnumerable() ?? update.Changes.Value.Select(change => change.Upsert);
            if (resources.FirstOrDefault(resource => resource.DisplayName == "redis" && isIt(resource)) is { } found)
            {
                return found;
            }
        }

        throw new InvalidOperationException("The stream ended.");
    }

    private async Task<string> RedisAsync() =>
        (await _application.Notifications.WaitForResourceHealthyAsync("redis", Token).WaitAsync(ApplicationFixture.Patience, Token)).ResourceId;

    private async Task ExecuteAsync(Message resource, string command)
    {
        var answer = await _application.Client.ExecuteResourceCommandAsync(
            new ResourceCommandRequest { CommandName = command, ResourceName = resource.Name, ResourceType = resource.ResourceType }, ServedApplication.Key, cancellationToken: Token);
        Assert.True(answer.Kind == ResourceCommandResponseKind.Succeeded, answer.ErrorMessage);
    }
}
