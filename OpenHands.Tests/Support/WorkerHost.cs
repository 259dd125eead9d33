using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.Queues;
using OpenHands.Worker;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Support;

/// <summary>The real worker in this process, on a free port, with handlers that the test writes.</summary>
internal sealed class WorkerHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WorkerHost(WebApplication app, RecordedLog log) => (_app, Log) = (app, log);

    /// <summary>Everything the worker has logged.</summary>
    public RecordedLog Log { get; }

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Id of the worker.</summary>
    public string Id => Services.GetRequiredService<WorkerIdentity>().Id;

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts it.</summary>
    /// <param name="queues">Where its queues are.</param>
    /// <param name="handlers">Handlers by task type.</param>
    /// <param name="settings">Settings such as <c>Worker:Concurrency=2</c>; they come last.</param>
    public static Task<WorkerHost> StartAsync(TestQueues queues, IReadOnlyDictionary<string, Handler>? handlers = null, params string[] settings) =>
        StartAsync(
            queues,
            services =>
            {
                foreach (var (type, handler) in handlers ?? new Dictionary<string, Handler>())
                {
                    services.AddKeyedScoped<ITaskHandler>(type, (_, _) => new Scripted(handler));
                    services.AddSingleton(new TaskHandlers.Entry(type));
                }
            },
            settings);

    /// <summary>Starts it with services in place of its own.</summary>
    public static async Task<WorkerHost> StartAsync(TestQueues queues, Action<IServiceCollection> configure, params string[] settings)
    {
        var app = WorkerApplication.Build(
            [
                "--environment=Production", "--urls=http://127.0.0.1:0", "--Logging:Console:LogLevel:Default=None", "--Logging:LogLevel:OpenHands=Debug",
                .. queues.Settings.Concat(settings).Select(setting => "--" + setting),
            ],
            configure);
        var log = new RecordedLog();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new WorkerHost(app, log);
    }

    /// <summary>Starts it with one handler, for tasks of type <c>test</c>.</summary>
    public static Task<WorkerHost> StartAsync(TestQueues queues, Handler handler, params string[] settings) =>
        StartAsync(queues, new Dictionary<string, Handler> { ["test"] = handler }, settings);

    /// <summary>How many lines of the log contain the text.</summary>
    public int Logged(string text) => Log.Entries.Count(entry => entry.Text.Contains(text, StringComparison.Ordinal));

    /// <summary>Stops it as SIGTERM does.</summary>
    public Task StopAsync() => _app.StopAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private sealed class Scripted(Handler handler) : ITaskHandler
    {
        public Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken) => handler(task, cancellationToken);
    }
}

/// <summary>What a handler does.</summary>
internal delegate Task<TaskOutcome> Handler(QueuedTask task, CancellationToken cancellationToken);
