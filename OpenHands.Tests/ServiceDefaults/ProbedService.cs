using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace OpenHands.Tests.ServiceDefaults;

/// <summary>A web service with our defaults on a free loopback port, its clock in the test's hands.</summary>
internal sealed class ProbedService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly AnsweredChecks _answered;

    private ProbedService(WebApplication app, AnsweredChecks answered, FakeTimeProvider clock)
    {
        (_app, _answered) = (app, answered);
        Clock = clock;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public FakeTimeProvider Clock { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<ProbedService> StartAsync(
        Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null, string environment = "Production",
        string? telemetry = null)
    {
        var clock = new FakeTimeProvider();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });
        var answered = new AnsweredChecks();
        builder.Logging.ClearProviders().AddProvider(answered).AddFilter<AnsweredChecks>(null, LogLevel.Debug);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(clock);
        builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] = telemetry;
        builder.AddServiceDefaults();
        configure?.Invoke(builder);

        var app = builder.Build();
        map?.Invoke(app);
        app.MapDefaultEndpoints();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ProbedService(app, answered, clock);
    }

    public static Task<ProbedService> StartAsync(string check, IHealthCheck instance) =>
        StartAsync(builder => builder.Services.AddHealthChecks().AddCheck(check, instance));

    /// <summary>Done once a check has answered for the first time: what the clock does then is nothing to it.</summary>
    public Task AnsweredAsync(string check) => _answered.Of(check).WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>Asks a probe and reads its answer: the HTTP status, and the JSON body.</summary>
    public async Task<(int Status, JsonElement Body)> ProbeAsync(string path)
    {
        using var response = await Http.GetAsync(path, TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, JsonElement.Parse(body));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }

    // The service of health checks tells in its log alone which has answered.
    private sealed class AnsweredChecks : ILoggerProvider, ILogger
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _checks = new();

        public Task Of(string check) => Source(check).Task;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "HealthCheckEnd" && state is IEnumerable<KeyValuePair<string, object?>> values)
                Source((string)values.First(value => value.Key == "HealthCheckName").Value!).TrySetResult(); // by the source of DefaultHealthCheckService
        }

        public void Dispose()
        {
        }

        private TaskCompletionSource Source(string check) => _checks.GetOrAdd(check, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
