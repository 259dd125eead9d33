using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;
using OpenHands.ServiceDefaults.Integrations.Redis;
using OpenHands.Tests.ServiceDefaults;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace OpenHands.Tests.Integrations.Redis;

/// <summary>A running service with our Redis client on a <see cref="RespServer"/>, and the spans it ends.</summary>
internal sealed class RedisService(IHost host, ActivitySource source, SpanList spans, RedisService.WriterClock clock)
    : IAsyncDisposable
{
    /// <summary>What the test itself does, so that commands have a parent.</summary>
    public ActivitySource Source => source;

    /// <summary>The spans of Redis commands sent to the test's own server.</summary>
    public SpanList Spans => spans;

    public WriterClock Clock => clock;

    public RedisProfiler Profiler => host.Services.GetRequiredService<RedisProfiler>();

    public IConnectionMultiplexer Redis => host.Services.GetRequiredService<IConnectionMultiplexer>();

    public static async Task<RedisService> StartAsync(RespServer server)
    {
        var clock = new WriterClock();
        var source = new ActivitySource($"RedisSpanTests.{server.Port}");
        var spans = new SpanList(span => Equals(span.GetTagItem("server.port"), server.Port));
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration["ConnectionStrings:redis"] = server.ConnectionString;
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.AddRedisClient("redis");
        builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing
            .AddSource(source.Name)
            .SetSampler(new AlwaysOnSampler())
            .AddProcessor(spans));

        var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new RedisService(host, source, spans, clock);
    }

    public Task StopAsync() => host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        host.Dispose();
        source.Dispose();
    }

    /// <summary>A fake clock that tells when the span writer has set its timer, from when on it can be moved.</summary>
    internal sealed class WriterClock : FakeTimeProvider
    {
        private readonly TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task WriterTimerSet => _set.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            if (period == RedisSpanWriter.Interval)
                _set.TrySetResult();
            return timer;
        }
    }
}
