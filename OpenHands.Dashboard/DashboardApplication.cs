using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenHands.Dashboard.Access;
using OpenHands.Dashboard.Components;
using OpenHands.Dashboard.Consoles;
using OpenHands.Dashboard.Operators;
using OpenHands.Dashboard.Otlp;
using OpenHands.Dashboard.Resources;
using OpenHands.Dashboard.Telemetry;

namespace OpenHands.Dashboard;

/// <summary>The dashboard: pages for people, and two ports for telemetry.</summary>
internal static class DashboardApplication
{
    /// <summary>Builds it from its environment and command line.</summary>
    /// <exception cref="InvalidOperationException">An address or key is missing or wrong.</exception>
    public static WebApplication Build(string[] args)
    {
        // Its files lie beside it, wherever it is started.
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(DashboardApplication).Assembly.GetName().Name,
            ContentRootPath = AppContext.BaseDirectory,
        });
        var options = DashboardOptions.Read(builder.Configuration);
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.UseSetting(WebHostDefaults.ServerUrlsKey, "");
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Logging.SetMinimumLevel(LogLevel.Warning);

        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<LogStore>();
        builder.Services.AddSingleton<TraceStore>();
        builder.Services.AddSingleton<MetricStore>();
        builder.Services.AddSingleton<ResourceServiceClient>();
        builder.Services.AddSingleton<ResourceWatch>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<ResourceWatch>());
        builder.Services.AddSingleton(provider => new OperatorClient(() => OperatorDoor.Of(provider.GetRequiredService<ResourceWatch>().Resources)));
        builder.Services.AddOtlp();
        builder.Services.AddAccess(options);
        builder.Services.AddHealthChecks();
        builder.Services.AddRazorComponents().AddInteractiveServerComponents(circuits =>
        {
            // A page that lost its connection is kept for a minute, and few of them.
            circuits.DisconnectedCircuitMaxRetained = 4;
            circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(1);
        });

        var app = builder.Build();
        app.UseOtlpPorts(options);
        app.UseOwnOriginOnly(options);
        app.UseRequestDecompression();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapOtlp();
        app.MapLogin();
        app.MapHealthChecks("/health").AllowAnonymous();
        app.MapStaticAssets().AllowAnonymous();
        app.MapConsoleDownloads();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, DashboardOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = OtlpEndpoints.LargestExport;
        kestrel.ListenLocalhost(options.Url.Port, listen => listen.Protocols = HttpProtocols.Http1);
        kestrel.ListenLocalhost(options.OtlpHttpUrl.Port, listen => listen.Protocols = HttpProtocols.Http1);
        // gRPC without TLS, which could negotiate HTTP/2.
        kestrel.ListenLocalhost(options.OtlpGrpcUrl.Port, listen => listen.Protocols = HttpProtocols.Http2);
    }
}
