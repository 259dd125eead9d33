using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;

namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// Runs the application: allocates endpoints, resolves parameters, starts every resource (each waits for what it waits
/// for), and stops them in the opposite order: a resource only after all that depend on it.
/// </summary>
internal sealed class ApplicationOrchestrator(
    DistributedApplicationModel model, EndpointAllocator endpoints, ResourceRunnerFactory factory, ResourceNotificationService notifications)
    : IHostedService, IAsyncDisposable
{
    private List<IResourceRunner> _runners = [];
    private Task? _stopped;

    /// <summary>What is run, once started.</summary>
    public IReadOnlyList<IResourceRunner> Runners => _runners;

    /// <summary>What runs a replica; null when there is none of that name.</summary>
    public IResourceRunner? Find(string resourceId) =>
        _runners.FirstOrDefault(runner => string.Equals(runner.ResourceId, resourceId, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var parameter in model.Resources.OfType<ParameterResource>())
        {
            await PublishActiveAsync(parameter, await ValueSnapshot.OfAsync(parameter, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }

        endpoints.Allocate(model.Resources);
        foreach (var connectionString in model.Resources.OfType<ConnectionStringResource>())
        {
            await PublishActiveAsync(connectionString, await ValueSnapshot.OfAsync(connectionString, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }

        _runners = [.. model.Resources.SelectMany(factory.Create)];
        foreach (var runner in _runners)
        {
            var value = runner.Resource is IResourceWithConnectionString known ? await ValueSnapshot.OfAsync(known, cancellationToken).ConfigureAwait(false) : null;
            await notifications.PublishUpdateAsync(
                runner.Resource, runner.ResourceId, snapshot => snapshot with { State = KnownResourceStates.NotStarted, Value = value }).ConfigureAwait(false);
        }

        _runners.ForEach(runner => _ = runner.RunAsync());
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _stopped ??= StopAllAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (var runner in _runners)
        {
            await runner.DisposeAsync().ConfigureAwait(false);
        }

        _runners = [];
    }

    private static IEnumerable<IResource> DependenciesOf(IResource resource) => resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource)
        .Concat(resource.Annotations.OfType<ResourceRelationshipAnnotation>().Select(relation => relation.Resource))
        .Concat(resource is IResourceWithParent child ? [child.Parent] : []);

    private Task PublishActiveAsync(IResource resource, ValueSnapshot value) =>
        notifications.PublishUpdateAsync(resource, snapshot => snapshot with { State = KnownResourceStates.Active, Value = value });

    private Task StopAllAsync()
    {
        var dependents = model.Resources.SelectMany(resource => DependenciesOf(resource).Select(dependency => (dependency, resource)))
            .ToLookup(pair => pair.dependency, pair => pair.resource);
        var stopping = new Dictionary<IResource, Task>();
        return Task.WhenAll(model.Resources.Select(StopInOrder).ToList());

        Task StopInOrder(IResource resource)
        {
            if (!stopping.TryGetValue(resource, out var task))
            {
                var after = dependents[resource].Select(StopInOrder).ToList();
                stopping[resource] = task = StopAsync(resource, after);
            }

            return task;
        }
    }

    private async Task StopAsync(IResource resource, List<Task> dependents)
    {
        await Task.WhenAll(dependents).ConfigureAwait(false);
        await Task.WhenAll(_runners.Where(runner => runner.Resource == resource).Select(runner => runner.StopAsync())).ConfigureAwait(false);
    }
}
