using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenHands.Storage;
using OpenHands.Worker.Maintenance;
using OpenHands.Worker.Operators;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker;

/// <summary>The worker as one object, so that the process and the tests start the very same one.</summary>
internal static class WorkerApplication
{
    private static readonly string[] AddressKeys = ["urls", "http_ports", "https_ports"];

    /// <summary>Builds the worker that drains queues; arguments are configuration. Invalid options throw on start.</summary>
    /// <exception cref="InvalidOperationException">A connection string is missing or wrong.</exception>
    public static WebApplication Build(string[] args, Action<IServiceCollection>? configure = null)
    {
        var builder = CreateBuilder(args);
        ConnectionStrings.Demand(builder.Configuration);
        builder.AddServiceDefaults();
        builder.AddNpgsqlDbContext<OpenHandsDb>(ConnectionStrings.App, settings => settings.DisableRetry = true, options => options.UseOpenHandsDb());
        builder.AddRedisClient(ConnectionStrings.Redis);
        builder.AddStorage();
        builder.AddQueues();
        builder.AddOperators();
        builder.AddMaintenance();
        configure?.Invoke(builder.Services);

        var application = builder.Build();
        application.MapDefaultEndpoints();
        application.MapOperators();
        return application;
    }

    /// <summary>A web application with our settings file; without a configured address it listens on a free port of loopback.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(WorkerApplication).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Services.TryAddSingleton(TimeProvider.System);
        if (!AddressKeys.Any(key => builder.Configuration[key] is { Length: > 0 }))
            builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder;
    }
}
