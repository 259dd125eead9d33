using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Dashboard;

/// <summary>Serves the resource service on loopback to whoever has the key.</summary>
internal sealed class ResourceServiceHost : IAsyncDisposable
{
    private const string KeyHeader = "x-resource-service-api-key";
    private const int LargestRequest = 64 * 1024;
    private readonly WebApplication _web;

    private ResourceServiceHost(WebApplication web) => _web = web;

    /// <summary>Starts to serve.</summary>
    /// <param name="services">The AppHost's services.</param>
    /// <param name="port">The loopback port.</param>
    /// <param name="apiKey">What a client must send.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">Somebody listens on the port.</exception>
    public static async Task<ResourceServiceHost> StartAsync(IServiceProvider services, int port, string apiKey, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        // The terminal belongs to the resources; and a client's mistake is told to the client.
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, EmbeddedLifetime>();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = LargestRequest);
        builder.Services.AddSingleton(services.GetRequiredService<Aspire.Hosting.ApplicationModel.ResourceNotificationService>());
        builder.Services.AddSingleton(services.GetRequiredService<Aspire.Hosting.ApplicationModel.ResourceLoggerService>());
        builder.Services.AddSingleton(services.GetRequiredService<ApplicationOrchestrator>());
        builder.Services.AddSingleton(services.GetRequiredService<TimeProvider>());
        builder.Services.AddSingleton(ApplicationName.Of(services.GetRequiredService<IHostEnvironment>().ApplicationName));
        builder.Services.AddSingleton<ResourceMessages>();
        builder.Services.AddSingleton<ResourceCommands>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // gRPC without TLS, which could negotiate HTTP/2.
            kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http2);
        });

        var web = builder.Build();
        var expected = Encoding.UTF8.GetBytes(apiKey);
        web.Use((context, next) => HasKey(context.Request, expected) ? next(context) : RefuseAsync(context.Response));
        web.MapGrpcService<ResourceService>();
        await web.StartAsync(cancellationToken).ConfigureAwait(false);
        return new ResourceServiceHost(web);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _web.StopAsync().ConfigureAwait(false);
        await _web.DisposeAsync().ConfigureAwait(false);
    }

    private static bool HasKey(HttpRequest request, byte[] expected) =>
        request.Headers[KeyHeader] is [{ } given] && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), expected);

    /// <summary>A gRPC client takes this for Unauthenticated.</summary>
    private static Task RefuseAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }

    /// <summary>Started and stopped by the AppHost: signals are not this server's to hear.</summary>
    private sealed class EmbeddedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
