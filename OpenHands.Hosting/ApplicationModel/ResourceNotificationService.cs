using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Tells what the resources of a running application do.</summary>
public sealed class ResourceNotificationService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceEvent> _current = new(StringComparer.OrdinalIgnoreCase);
    private ImmutableArray<Channel<ResourceEvent>> _watchers = [];

    /// <summary>Made by the host, once for each application.</summary>
    internal ResourceNotificationService()
    {
    }

    /// <summary>Changes what is known about a resource that has no replicas.</summary>
    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return PublishUpdateAsync(resource, resource.Name, stateFactory);
    }

    /// <summary>Changes what is known about one replica of a resource.</summary>
    public Task PublishUpdateAsync(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        ArgumentNullException.ThrowIfNull(resource);
        ArgumentNullException.ThrowIfNull(stateFactory);
        lock (_lock)
        {
            var before = _current.TryGetValue(resourceId, out var known)
                ? known.Snapshot
                : new CustomResourceSnapshot { ResourceType = TypeName(resource) };
            var after = stateFactory(before);
            if (after == before && known is not null)
            {
                return Task.CompletedTask;
            }

            var change = new ResourceEvent(resource, resourceId, after);
            _current[resourceId] = change;
            foreach (var watcher in _watchers)
            {
                watcher.Writer.TryWrite(change);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>What is known about a replica, by its id.</summary>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        lock (_lock)
        {
            return _current.TryGetValue(resourceId, out resourceEvent);
        }
    }

    /// <summary>What is known now, then every change, in order.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (known, channel) = Subscribe();
        try
        {
            foreach (var change in known)
            {
                yield return change;
            }

            await foreach (var change in channel.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return change;
            }
        }
        finally
        {
            Unsubscribe(channel);
        }
    }

    /// <summary>Waits until a resource is in a state; <c>Running</c> when none is named.</summary>
    public async Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default)
    {
        var state = targetState ?? KnownResourceStates.Running;
        await WaitForResourceAsync(resourceName, change => change.Snapshot.State?.Text == state, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until a resource is in one of some states, and says in which.</summary>
    public async Task<string> WaitForResourceAsync(string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default)
    {
        var states = targetStates.ToHashSet();
        var change = await WaitForResourceAsync(
            resourceName, change => change.Snapshot.State is { } state && states.Contains(state.Text), cancellationToken).ConfigureAwait(false);
        return change.Snapshot.State!.Text;
    }

    /// <summary>Waits until something holds for a resource.</summary>
    public async Task<ResourceEvent> WaitForResourceAsync(
        string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        await foreach (var change in WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (string.Equals(change.Resource.Name, resourceName, StringComparison.OrdinalIgnoreCase) && predicate(change))
            {
                return change;
            }
        }

        throw new OperationCanceledException($"The application stopped before resource '{resourceName}' got there.", cancellationToken);
    }

    /// <summary>Waits until a resource runs and all its health checks pass.</summary>
    /// <exception cref="DistributedApplicationException">The resource failed to start or ended.</exception>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceHealthyAsync(resourceName, WaitBehavior.StopOnResourceUnavailable, cancellationToken);

    /// <summary>Waits until a resource runs and all its health checks pass.</summary>
    /// <exception cref="DistributedApplicationException">The resource failed to start or ended, and the wait was to stop then.</exception>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(
        string resourceName, WaitBehavior waitBehavior, CancellationToken cancellationToken = default)
    {
        var change = await WaitForResourceAsync(
            resourceName,
            change => change.Snapshot.HealthStatus == HealthStatus.Healthy
                || (waitBehavior == WaitBehavior.StopOnResourceUnavailable && IsTerminal(change.Snapshot)),
            cancellationToken).ConfigureAwait(false);
        return change.Snapshot.HealthStatus == HealthStatus.Healthy ? change : throw Unavailable(change);
    }

    /// <summary>Waits until everything a resource waits for has got there.</summary>
    /// <exception cref="DistributedApplicationException">A resource waited for failed.</exception>
    public Task WaitForDependenciesAsync(IResource resource, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return Task.WhenAll(resource.Annotations.OfType<WaitAnnotation>().Select(wait => WaitAsync(wait, cancellationToken)));
    }

    /// <summary>What is known now, and every change from then on, until <see cref="Unsubscribe"/>.</summary>
    internal (IReadOnlyList<ResourceEvent> Known, ChannelReader<ResourceEvent> Changes) Subscribe()
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (_lock)
        {
            _watchers = _watchers.Add(channel);
            return ([.. _current.Values], channel.Reader);
        }
    }

    /// <summary>Ends a subscription.</summary>
    internal void Unsubscribe(ChannelReader<ResourceEvent> changes)
    {
        lock (_lock)
        {
            _watchers = _watchers.RemoveAll(watcher => watcher.Reader == changes);
        }
    }

    private static bool IsTerminal(CustomResourceSnapshot snapshot) =>
        snapshot.State is { } state && KnownResourceStates.TerminalStates.Contains(state.Text);

    private static DistributedApplicationException Unavailable(ResourceEvent change) =>
        new($"Resource '{change.Resource.Name}' is {change.Snapshot.State?.Text}"
            + (change.Snapshot.ExitCode is { } code ? $" with exit code {code}" : "")
            + (change.Snapshot.Failure is { } failure ? $": {failure}" : "."));

    private static string TypeName(IResource resource)
    {
        var name = resource.GetType().Name;
        return name.EndsWith("Resource", StringComparison.Ordinal) ? name[..^"Resource".Length] : name;
    }

    private async Task WaitAsync(WaitAnnotation wait, CancellationToken cancellationToken)
    {
        switch (wait.WaitType)
        {
            case WaitType.WaitUntilHealthy:
                await WaitForResourceHealthyAsync(
                    wait.Resource.Name, wait.WaitBehavior ?? WaitBehavior.WaitOnResourceUnavailable, cancellationToken).ConfigureAwait(false);
                break;
            case WaitType.WaitUntilStarted:
                await WaitForResourceAsync(
                    wait.Resource.Name, [KnownResourceStates.Running, KnownResourceStates.Active], cancellationToken).ConfigureAwait(false);
                break;
            default:
                var ended = await WaitForResourceAsync(wait.Resource.Name, change => IsTerminal(change.Snapshot), cancellationToken).ConfigureAwait(false);
                if (ended.Snapshot.State?.Text == KnownResourceStates.FailedToStart || ended.Snapshot.ExitCode != wait.ExitCode)
                {
                    throw Unavailable(ended);
                }

                break;
        }
    }
}
