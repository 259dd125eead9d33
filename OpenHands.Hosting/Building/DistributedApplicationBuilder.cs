using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenHands.Hosting;
using OpenHands.Hosting.Dashboard;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Parameters;
using OpenHands.Hosting.Projects;
using OpenHands.Hosting.Publishing;
using OpenHands.Hosting.Publishing.Compose;
using OpenHands.Hosting.Terminal;
using OpenHands.Hosting.Testing;

namespace Aspire.Hosting;

/// <inheritdoc cref="IDistributedApplicationBuilder"/>
internal sealed class DistributedApplicationBuilder : IDistributedApplicationTestingBuilder
{
    /// <summary>Long enough for the slowest resource to be stopped and then killed.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromMinutes(3);

    private readonly HostApplicationBuilder _host;
    private readonly EntryPointInvocation? _test;

    public DistributedApplicationBuilder(DistributedApplicationOptions options, EntryPointInvocation? test)
    {
        _test = test;
        AppHostAssembly = test?.Assembly ?? Assembly.GetEntryAssembly()
            ?? throw new DistributedApplicationException("There is no entry assembly to take for the AppHost.");
        AppHostDirectory = FindDirectory(AppHostAssembly);
        string[] args = [.. options.Args ?? [], .. test?.Arguments ?? []];
        _host = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
        {
            Args = args,
            ApplicationName = AppHostAssembly.GetName().Name,
            ContentRootPath = Directory.Exists(AppHostDirectory) ? AppHostDirectory : AppContext.BaseDirectory,
            EnvironmentName = test is null ? null : Environments.Development,
        });
        _host.Configuration.AddCommandLine(args, PublishOptions.Switches.ToDictionary());
        var publishing = PublishOptions.Read(_host.Configuration, args);
        if (test is not null && publishing.Mistake is not null)
        {
            throw new DistributedApplicationException(publishing.Mistake);
        }

        ExecutionContext = new DistributedApplicationExecutionContext(
            publishing.Publishes ? DistributedApplicationOperation.Publish : DistributedApplicationOperation.Run, publishing.Publisher ?? "manifest");
        var settings = new HostSettings(_host.Configuration, testing: test is not null);

        // The terminal belongs to the resources' own output.
        _host.Logging.ClearProviders();
        var services = _host.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        services.AddSingleton(settings);
        var dashboard = new DashboardSettings(_host.Configuration, wanted: test is null && ExecutionContext.IsRunMode && !options.DisableDashboard);
        services.AddSingleton(dashboard);
        services.AddSingleton(new TelemetryTarget { Endpoint = dashboard.OtlpEndpoint, ApiKey = dashboard.OtlpApiKey });
        services.AddSingleton<DashboardHost>();
        services.AddSingleton(new ParameterStore(_host.Configuration, settings));
        services.AddSingleton(new ProjectAssemblies(AppHostAssembly));
        services.AddSingleton(new CommandLine(args));
        services.AddSingleton(publishing);
        services.AddSingleton(ExecutionContext);
        services.AddSingleton(provider => new DistributedApplicationModel(Resources));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new ResourceNotificationService());
        services.AddSingleton<ResourceLoggerService>();
        services.AddSingleton<ResourceConfiguration>();
        services.AddSingleton<ResourceHealth>();
        services.AddSingleton<HealthLoop>();
        services.AddSingleton<EndpointAllocator>();
        services.AddSingleton<ResourceRunnerFactory>();
        services.AddSingleton<ApplicationOrchestrator>();
        services.AddSingleton<ManifestPublisher>();
        services.AddSingleton<ComposePublisher>();
        services.AddSingleton<TerminalSession>();
        // First to start, since the projects are told where their telemetry goes; last to stop, so that it shows how they end.
        services.AddHostedService(provider => provider.GetRequiredService<DashboardHost>());
        services.AddHostedService(provider => provider.GetRequiredService<ApplicationOrchestrator>());
        if (test is null)
        {
            services.AddHostedService<ParentWatch>();
        }
    }

    public ConfigurationManager Configuration => _host.Configuration;

    public string AppHostDirectory { get; }

    public Assembly AppHostAssembly { get; }

    public IHostEnvironment Environment => _host.Environment;

    public IServiceCollection Services => _host.Services;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IResourceCollection Resources { get; } = new ResourceCollection();

    public IResourceBuilder<T> AddResource<T>(T resource)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(resource);
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource)
        where T : IResource => new DistributedApplicationResourceBuilder<T>(this, resource);

    public DistributedApplication Build()
    {
        _test?.Described(this);
        var application = new DistributedApplication(_host.Build(), _test);
        _test?.Built(application);
        return application;
    }

    public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken) =>
        (_test ?? throw new InvalidOperationException("Only a test builds the application this way; an AppHost calls Build.")).BuildAsync(cancellationToken);

    public void Dispose() => _test?.Dispose();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private static string FindDirectory(Assembly assembly) =>
        assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(metadata => metadata.Key == "apphostprojectpath")?.Value
        ?? AppContext.BaseDirectory;
}
