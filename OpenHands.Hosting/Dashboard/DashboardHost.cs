using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Projects;

namespace OpenHands.Hosting.Dashboard;

/// <summary>
/// Shows the application: serves the resource service, starts a dashboard (ours or the one named), and tells the
/// projects where their telemetry goes. The application does not depend on any of it.
/// </summary>
internal sealed class DashboardHost(
    DashboardSettings settings, IServiceProvider services, TelemetryTarget telemetry, ProjectAssemblies assemblies, ResourceNotificationService notifications,
    ResourceLoggerService logs, HealthLoop healthLoop, TimeProvider timeProvider) : IHostedService, IAsyncDisposable
{
    private const string ProjectName = "OpenHands.Dashboard";
    private const int LinesInErrors = 15;
    private static readonly TimeSpan GracePeriod = TimeSpan.FromSeconds(5);
    private readonly List<PortReservation> _reservations = [];
    private ResourceServiceHost? _resourceService;

    /// <summary>The process of the dashboard that was started; null when none was.</summary>
    public ProcessRunner? Runner { get; private set; }

    /// <summary>What a user opens in a browser; null without a dashboard.</summary>
    public string? Link { get; private set; }

    /// <summary>Where the resource service is, and its key; null when it is not served.</summary>
    public (string Url, string ApiKey)? ResourceService { get; private set; }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!settings.Enabled)
        {
            return;
        }

        if (settings.Url is { } url)
        {
            await ServeForeignAsync(url, cancellationToken).ConfigureAwait(false);
        }
        else if (FindProgram() is { } program)
        {
            await StartOwnAsync(program, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Runner is not null)
        {
            await Runner.StopAsync().ConfigureAwait(false);
        }

        if (_resourceService is not null)
        {
            await _resourceService.DisposeAsync().ConfigureAwait(false);
            _resourceService = null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        if (Runner is not null)
        {
            await Runner.DisposeAsync().ConfigureAwait(false);
            Runner = null;
        }

        _reservations.ForEach(reservation => reservation.Dispose());
        _reservations.Clear();
    }

    private DashboardProgram? FindProgram() => settings.Command is { } command
        ? DashboardProgram.Parse(command)
        : assemblies.Find(ProjectName) is { } assembly ? new DashboardProgram(ProjectAssemblies.Dotnet, ["exec", assembly]) : null;

    /// <summary>A dashboard that somebody else runs: it was told where the resource service is to be, and asks there.</summary>
    private async Task ServeForeignAsync(string url, CancellationToken cancellationToken)
    {
        var service = settings.ForeignResourceServiceUrl;
        var apiKey = settings.ForeignResourceServiceApiKey;
        try
        {
            _resourceService = await ResourceServiceHost.StartAsync(services, service.Port, apiKey, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw new DistributedApplicationException(
                $"The resource service cannot listen at {service}: another program does. Set ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL, here and for the dashboard.", exception);
        }

        ResourceService = (service.GetLeftPart(UriPartial.Authority), apiKey);
        telemetry.Endpoint = settings.ForeignOtlpEndpoint;
        Link = url;
    }

    private async Task StartOwnAsync(DashboardProgram program, CancellationToken cancellationToken)
    {
        var resource = new DashboardResource(ReservePort());
        var addresses = new DashboardAddresses
        {
            Url = resource.Url,
            OtlpGrpcUrl = $"http://localhost:{Reserve(PortReservation.Any())}",
            OtlpHttpUrl = $"http://localhost:{Reserve(PortReservation.Any())}",
            ResourceServiceUrl = $"http://localhost:{Reserve(PortReservation.Any())}",
        };
        _resourceService = await ResourceServiceHost.StartAsync(
            services, new Uri(addresses.ResourceServiceUrl).Port, addresses.ResourceServiceApiKey, cancellationToken).ConfigureAwait(false);
        ResourceService = (addresses.ResourceServiceUrl, addresses.ResourceServiceApiKey);
        if (settings.OtlpEndpoint is null)
        {
            (telemetry.Endpoint, telemetry.ApiKey) = (addresses.OtlpGrpcUrl, addresses.OtlpApiKey);
        }

        Link = addresses.LoginUrl;
        Runner = new ProcessRunner(Launch(resource, program, addresses), notifications, healthLoop, timeProvider);
        _ = Runner.RunAsync();
    }

    private ProcessLaunch Launch(DashboardResource resource, DashboardProgram program, DashboardAddresses addresses)
    {
        var id = $"{resource.Name}-{ReplicaId.NewSuffix()}";
        return new ProcessLaunch
        {
            Resource = resource,
            ResourceId = id,
            StartAsync = async _ =>
            {
                var directory = program.Directory ?? AppContext.BaseDirectory;
                await notifications.PublishUpdateAsync(resource, id, snapshot => snapshot with
                {
                    Urls = [new UrlSnapshot("http", addresses.Url, IsInternal: false)],
                    Process = new ProcessSnapshot(program.FileName, program.Arguments, directory),
                }).ConfigureAwait(false);
                return GuardedProcess.Start(new GuardedProcessStart
                {
                    FileName = program.FileName,
                    Arguments = program.Arguments,
                    Environment = ProjectEnvironment.NotInherited.ToDictionary(name => name, _ => (string?)null)
                        .Concat(addresses.Environment).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value),
                    WorkingDirectory = directory,
                    GracePeriod = GracePeriod,
                    Output = (line, isError) => logs.Write(id, line, isError),
                });
            },
            LastLines = () => string.Join('\n', logs.GetAll(id).TakeLast(LinesInErrors).Select(line => $"  {line.Content}")),
        };
    }

    /// <summary>The port asked for, or the usual one, or, for a second application beside the first, any.</summary>
    private int ReservePort()
    {
        var port = settings.Port ?? DashboardSettings.UsualPort;
        try
        {
            return Reserve(services.GetRequiredService<HostSettings>().RandomPorts ? PortReservation.Any() : PortReservation.Of(port));
        }
        catch (SocketException exception)
        {
            return settings.Port is null
                ? Reserve(PortReservation.Any())
                : throw new DistributedApplicationException(
                    $"Port {port} for the dashboard cannot be used ({exception.SocketErrorCode}): another program listens on it. "
                    + "Stop that program, or choose another port with --Ports:Dashboard=<port>, or none with --Dashboard:Enabled=false.",
                    exception);
        }
    }

    private int Reserve(PortReservation reservation)
    {
        _reservations.Add(reservation);
        return reservation.Port;
    }
}
