using System.Diagnostics;
using OpenHands.ServiceDefaults.Integrations.Redis;
using OpenTelemetry;
using StackExchange.Redis;

namespace OpenHands.Tests.Integrations.Redis;

public sealed class RedisSpanTests
{
    private const string Key = "secret:customer-key";
    private const string Value = "customer-value";

    [Fact]
    public async Task A_command_becomes_a_client_span_below_the_activity_that_issued_it()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);

        var parent = service.Source.StartActivity("work")!;
        await service.Redis.GetDatabase(3).StringSetAsync(Key, Value);
        parent.Stop();
        service.Profiler.Drain();

        var span = Assert.Single(service.Spans.Ended);
        Assert.Equal(RedisSpans.SourceName, span.Source.Name);
        Assert.Equal("SET", span.DisplayName);
        Assert.Equal(ActivityKind.Client, span.Kind);
        Assert.Equal(parent.SpanId, span.ParentSpanId);
        Assert.Equal(parent.TraceId, span.TraceId);
        Assert.True(span.Duration > TimeSpan.Zero);
        Assert.InRange(span.StartTimeUtc, parent.StartTimeUtc.AddMilliseconds(-50), parent.StartTimeUtc + parent.Duration);
        Assert.Equal(
            [
                new("db.namespace", "3"),
                new("db.operation.name", "SET"),
                new("db.system.name", "redis"),
                new("server.address", "127.0.0.1"),
                new("server.port", server.Port),
            ],
            span.TagObjects.OrderBy(tag => tag.Key, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Commands_issued_side_by_side_keep_their_own_parents()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);

        var parents = await Task.WhenAll(Enumerable.Range(0, 16).Select(async database =>
        {
            using var work = service.Source.StartActivity("work");
            await service.Redis.GetDatabase(database).StringGetAsync(Key);
            return work!.SpanId;
        }));
        service.Profiler.Drain();

        var spans = service.Spans.Ended;
        Assert.Equal(16, spans.Count);
        Assert.All(spans, span =>
            Assert.Equal(parents[int.Parse((string)span.GetTagItem("db.namespace")!)], span.ParentSpanId));
    }

    [Fact]
    public async Task A_command_of_nobody_becomes_a_root_span()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);

        await service.Redis.GetDatabase().PingAsync();
        using (service.Source.StartActivity("somebody else's work"))
            service.Profiler.Drain();

        var span = Assert.Single(service.Spans.Ended);
        Assert.Equal("PING", span.DisplayName);
        Assert.Equal(default, span.ParentSpanId);
        Assert.Null(span.GetTagItem("db.namespace"));
    }

    [Fact]
    public async Task Suppressed_and_unsampled_work_leaves_no_span_and_no_memory()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);

        using (SuppressInstrumentationScope.Begin())
            await service.Redis.GetDatabase().PingAsync();
        using (var filtered = service.Source.StartActivity("filtered"))
        {
            filtered!.IsAllDataRequested = false;
            await service.Redis.GetDatabase().PingAsync();
        }
        service.Profiler.Drain();

        Assert.Empty(service.Spans.Ended);
        Assert.Equal(0, service.Profiler.IssuerCount);
    }

    [Fact]
    public async Task An_activity_that_went_quiet_is_forgotten()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);

        using (service.Source.StartActivity("work"))
            await service.Redis.GetDatabase().PingAsync();
        service.Profiler.Drain();
        Assert.Equal(1, service.Profiler.IssuerCount);

        service.Clock.Advance(RedisProfiler.QuietTime);
        service.Profiler.Drain();
        Assert.Equal(0, service.Profiler.IssuerCount);
    }

    [Fact]
    public async Task Above_the_limit_commands_go_untraced_until_the_next_drain()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);
        using var work = service.Source.StartActivity("work");

        for (var i = 0; i < RedisProfiler.MaxCommands; i++)
            Assert.NotNull(service.Profiler.Session());
        Assert.Null(service.Profiler.Session());

        Assert.Equal(1, service.Profiler.Drain());
        Assert.NotNull(service.Profiler.Session());
        Assert.Equal(0, service.Profiler.Drain());
    }

    [Fact]
    public async Task Spans_are_written_every_second()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);
        using (service.Source.StartActivity("work"))
            await service.Redis.GetDatabase().PingAsync();

        await service.Clock.WriterTimerSet;
        service.Clock.Advance(RedisSpanWriter.Interval);

        await service.Spans.FirstAsync("PING");
    }

    [Fact]
    public async Task The_last_spans_are_written_when_the_service_stops()
    {
        await using var server = new RespServer();
        await using var service = await RedisService.StartAsync(server);
        using (service.Source.StartActivity("work"))
            await service.Redis.GetDatabase().PingAsync();

        await service.StopAsync();

        Assert.Single(service.Spans.Ended);
    }
}
