using Grpc.Core;
using Grpc.Net.Client;
using OpenHands.Hosting.Dashboard.Protocol;

namespace OpenHands.Dashboard.Resources;

/// <summary>Asks the host that runs the application, with the key.</summary>
internal sealed class ResourceServiceClient : IDisposable
{
    private const int LargestAnswer = 16 * 1024 * 1024;
    private readonly GrpcChannel? _channel;
    private readonly DashboardService.DashboardServiceClient? _client;
    private readonly Metadata _key = [];

    /// <summary>A client of the resource service that the options name.</summary>
    public ResourceServiceClient(DashboardOptions options)
    {
        if (options.ResourceServiceUrl is { } url)
        {
            _channel = GrpcChannel.ForAddress(url, new GrpcChannelOptions
            {
                MaxReceiveMessageSize = LargestAnswer,
                HttpHandler = new SocketsHttpHandler
                {
                    EnableMultipleHttp2Connections = true,
                    KeepAlivePingDelay = TimeSpan.FromSeconds(20),
                    KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
                },
            });
            _client = new DashboardService.DashboardServiceClient(_channel);
            _key.Add("x-resource-service-api-key", options.ResourceServiceApiKey);
        }
    }

    /// <summary>True when there is a host to ask.</summary>
    public bool IsConfigured => _client is not null;

    private DashboardService.DashboardServiceClient Client => _client ?? throw new InvalidOperationException("There is no resource service.");

    /// <summary>The application's name.</summary>
    public async Task<string> NameAsync(CancellationToken cancellationToken) =>
        (await Client.GetApplicationInformationAsync(new ApplicationInformationRequest(), _key, cancellationToken: cancellationToken)).ApplicationName;

    /// <summary>All resources, then every change.</summary>
    public AsyncServerStreamingCall<WatchResourcesUpdate> Watch(CancellationToken cancellationToken) =>
        Client.WatchResources(new WatchResourcesRequest(), _key, cancellationToken: cancellationToken);

    /// <summary>The lines that a replica has written, and, unless only those, every new one.</summary>
    public AsyncServerStreamingCall<WatchResourceConsoleLogsUpdate> WatchConsole(string resource, bool onlyKept, CancellationToken cancellationToken) =>
        Client.WatchResourceConsoleLogs(new WatchResourceConsoleLogsRequest { ResourceName = resource, SuppressFollow = onlyKept }, _key, cancellationToken: cancellationToken);

    /// <summary>Executes a command; null, or why it was not.</summary>
    public async Task<string?> ExecuteAsync(Resource resource, ResourceCommand command, CancellationToken cancellationToken)
    {
        try
        {
            var request = new ResourceCommandRequest { CommandName = command.Name, ResourceName = resource.Name, ResourceType = resource.ResourceType, Parameter = command.Parameter };
            var answer = await Client.ExecuteResourceCommandAsync(request, _key, cancellationToken: cancellationToken);
            return answer.Kind == ResourceCommandResponseKind.Succeeded ? null : answer.ErrorMessage;
        }
        catch (RpcException exception)
        {
            return $"The host did not answer ({exception.StatusCode}).";
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _channel?.Dispose();
}
