using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Hosting.Dashboard;
using OpenHands.Hosting.Dashboard.Protocol;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Hosting.Dashboard;

/// <summary>An application of nothing but a parameter and a Redis, whose resource service is served to a client of its own.</summary>
internal sealed class ServedApplication : IAsyncDisposable
{
    public const string ApiKey = "resource-service-key-of-this-test";
    private readonly GrpcChannel _channel;
    private readonly ResourceServiceHost _host;
    private readonly DistributedApplication _application;

    private ServedApplication(DistributedApplication application, ResourceServiceHost host, int port)
    {
        (_application, _host) = (application, host);
        Address = new Uri($"http://localhost:{port}");
        _channel = GrpcChannel.ForAddress(Address);
        Client = new DashboardService.DashboardServiceClient(_channel);
    }

    public static Metadata Key { get; } = new() { { "x-resource-service-api-key", ApiKey } };

    public Uri Address { get; }

    public DashboardService.DashboardServiceClient Client { get; }

    public ResourceNotificationService Notifications => _application.ResourceNotifications;

    public ResourceLoggerService Logs => _application.Services.GetRequiredService<ResourceLoggerService>();

    public static async Task<ServedApplication> StartAsync()
    {
        var builder = DistributedApplication.CreateBuilder(["--Data:Throwaway=true", "--Dashboard:Enabled=false", "--Parameters:token=n0t-to-be-shown"]);
        builder.AddParameter("token", secret: true);
        builder.AddRedis("redis").WithDataVolume();
        var application = builder.Build();
        using var reservation = PortReservation.Any();
        var host = await ResourceServiceHost.StartAsync(application.Services, reservation.Port, ApiKey, TestContext.Current.CancellationToken);
        var served = new ServedApplication(application, host, reservation.Port);
        await application.StartAsync(TestContext.Current.CancellationToken);
        return served;
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _host.DisposeAsync();
        await _application.DisposeAsync();
    }
}
