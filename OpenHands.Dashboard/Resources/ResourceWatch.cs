using System.Collections.Immutable;
using Grpc.Core;
using OpenHands.Hosting.Dashboard.Protocol;

namespace OpenHands.Dashboard.Resources;

/// <summary>Follows the resources of the application, and asks again when the host was away.</summary>
/// <param name="client">Asks the host.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class ResourceWatch(ResourceServiceClient client, TimeProvider timeProvider) : BackgroundService
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromSeconds(1);
    private ImmutableDictionary<string, Resource> _resources = ImmutableDictionary<string, Resource>.Empty;
    private long _version;

    /// <summary>Grows with every change.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>The application's name.</summary>
    public string Application { get; private set; } = "OpenHands";

    /// <summary>True when there is a host to ask.</summary>
    public bool IsConfigured => client.IsConfigured;

    /// <summary>True while the host answers.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>The resources that are meant to be seen, by name.</summary>
    public IReadOnlyList<Resource> Resources =>
        [.. _resources.Values.Where(resource => !resource.IsHidden).OrderBy(resource => resource.DisplayName, StringComparer.Ordinal).ThenBy(resource => resource.Name, StringComparer.Ordinal)];

    /// <summary>A replica by its name; null when there is none.</summary>
    public Resource? Find(string? name) => name is null ? null : _resources.GetValueOrDefault(name);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (IsConfigured && !stoppingToken.IsCancellationRequested)
        {
            try
            {
                Application = await client.NameAsync(stoppingToken);
                await FollowAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is RpcException or OperationCanceledException)
            {
                // The host stops, or starts: asked again below.
            }

            IsConnected = false;
            Interlocked.Increment(ref _version);
            await Task.Delay(BetweenAttempts, timeProvider, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        using var watch = client.Watch(cancellationToken);
        await foreach (var update in watch.ResponseStream.ReadAllAsync(cancellationToken))
        {
            IsConnected = true;
            switch (update.KindCase)
            {
                case WatchResourcesUpdate.KindOneofCase.InitialData:
                    _resources = update.InitialData.Resources.ToImmutableDictionary(resource => resource.Name);
                    break;
                case WatchResourcesUpdate.KindOneofCase.Changes:
                    foreach (var change in update.Changes.Value)
                    {
                        _resources = change.KindCase == WatchResourcesChange.KindOneofCase.Delete
                            ? _resources.Remove(change.Delete.ResourceName)
                            : _resources.SetItem(change.Upsert.Name, change.Upsert);
                    }

                    break;
                default:
                    break;
            }

            Interlocked.Increment(ref _version);
        }
    }
}
