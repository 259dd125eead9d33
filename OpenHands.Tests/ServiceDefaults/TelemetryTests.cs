using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OpenHands.Storage;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace OpenHands.Tests.ServiceDefaults;

public sealed class TelemetryTests
{
    // Nobody listens there; what was collected is lost, which nobody minds here.
    private const string Nowhere = "http://127.0.0.1:1";

    [Fact]
    public async Task Requests_are_traced_and_probes_with_all_that_they_cause_are_not()
    {
        using var source = new ActivitySource("OpenHands.ProbeTest");
        ProbedService? started = null;
        // Other tests serve requests in this process: the server's spans are known by the port, the rest by the source.
        var spans = new SpanList(span => span.Source == source
            || (span.Kind == ActivityKind.Server && Equals(span.GetTagItem("server.port"), started?.Http.BaseAddress?.Port)));
        var check = new ScriptedCheck(_ =>
        {
            using var span = source.StartActivity("query of a check");
            return Task.FromResult(HealthCheckResult.Healthy());
        });
        await using var service = await ProbedService.StartAsync(
            builder =>
            {
                builder.Services.AddHealthChecks().AddCheck("database", check);
                builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.SetSampler(new AlwaysOnSampler()).AddProcessor(spans));
            },
            app => app.MapGet("/work", () => source.StartActivity("work")?.Dispose()),
            telemetry: Nowhere);
        started = service;

        await service.ProbeAsync("/health");
        await service.ProbeAsync("/alive");
        await service.Http.GetAsync("/work", TestContext.Current.CancellationToken);
        // Ends after its answer was sent; the probes before it on the same connection have ended by then.
        await spans.FirstAsync("GET /work");

        Assert.Equal(1, check.Runs);
        Assert.Equal(["work", "GET /work"], spans.Ended.Select(span => span.DisplayName));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("http://127.0.0.1:4317", true)]
    public void Telemetry_is_exported_only_when_an_endpoint_is_set(string? endpoint, bool expected)
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
        var before = builder.Services.Count;

        builder.AddServiceDefaults();

        var exporter = builder.Services.Skip(before).Any(service =>
            service.ServiceType.Assembly.GetName().Name == "OpenTelemetry.Exporter.OpenTelemetryProtocol"
            || service.ImplementationFactory?.Method.Module.Assembly.GetName().Name == "OpenTelemetry.Exporter.OpenTelemetryProtocol");
        Assert.Equal(expected, exporter);
    }

    // Every request would pay for them.
    [Theory]
    [InlineData(null, false)]
    [InlineData(Nowhere, true)]
    public void Spans_and_measurements_that_nobody_gets_are_not_made(string? endpoint, bool expected)
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
        builder.AddServiceDefaults();
        builder.AddNpgsqlDbContext<OpenHandsDb>("openhands", configureDbContextOptions: options => options.UseOpenHandsDb());
        builder.AddRedisClient("redis");

        using var host = builder.Build();
        Assert.Equal(expected, host.Services.GetService<TracerProvider>() is not null);
        Assert.Equal(expected, host.Services.GetService<MeterProvider>() is not null);
    }

    [Fact]
    public void Logs_keep_their_text_and_their_scopes()
    {
        var builder = Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = Nowhere;
        builder.AddServiceDefaults();
        var logs = new LogList();
        builder.Logging.AddOpenTelemetry(logging => logging.AddProcessor(logs));
        using var host = builder.Build();

        var logger = host.Services.GetRequiredService<ILogger<TelemetryTests>>();
        using (logger.BeginScope("import {Import}", 7))
            logger.LogWarning("Row {Row} is bad", 3);

        var (message, scopes) = Assert.Single(logs.Written);
        Assert.Equal("Row 3 is bad", message);
        Assert.Contains(scopes, scope => scope is { Key: "Import", Value: 7 });
        Assert.True(host.Services.GetRequiredService<IOptions<OpenTelemetryLoggerOptions>>().Value.IncludeScopes);
    }

    [Fact]
    public async Task Meters_of_the_platform_are_collected()
    {
        using var meter = new Meter("OpenHands.MeterTest");
        var collected = new ConcurrentBag<string>();
        await using var service = await ProbedService.StartAsync(
            builder => builder.Services.AddOpenTelemetry()
                .WithMetrics(metrics => metrics.AddReader(new BaseExportingMetricReader(new MetricList(collected)))),
            telemetry: Nowhere);

        meter.CreateCounter<int>("things.done").Add(1);
        await service.Http.GetAsync("/alive", TestContext.Current.CancellationToken);
        service.Services.GetRequiredService<MeterProvider>().ForceFlush();

        Assert.Contains("things.done", collected);
        Assert.Contains("http.server.request.duration", collected);
        Assert.Contains("dotnet.gc.collections", collected);
    }

    private sealed class LogList : BaseProcessor<LogRecord>
    {
        public List<(string? Message, List<KeyValuePair<string, object?>> Scopes)> Written { get; } = [];

        public override void OnEnd(LogRecord data)
        {
            // A record is reused after this call, so what the test needs is copied.
            List<KeyValuePair<string, object?>> scopes = [];
            data.ForEachScope((scope, list) => list.AddRange([.. scope]), scopes);
            Written.Add((data.FormattedMessage, scopes));
        }
    }

    private sealed class MetricList(ConcurrentBag<string> names) : BaseExporter<Metric>
    {
        public override ExportResult Export(in Batch<Metric> batch)
        {
            foreach (var metric in batch)
                names.Add(metric.Name);
            return ExportResult.Success;
        }
    }
}
