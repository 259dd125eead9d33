using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Processes;
using OpenHands.Hosting.Projects;
using OpenHands.Hosting.Servers;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Decides how each resource is run.</summary>
internal sealed class ResourceRunnerFactory(
    HostSettings settings, DistributedApplicationModel model, EndpointAllocator endpoints, ResourceConfiguration configuration,
    ProjectAssemblies assemblies, ResourceNotificationService notifications, ResourceLoggerService logs, HealthLoop healthLoop, TimeProvider timeProvider)
{
    private const int LinesInErrors = 15;

    /// <summary>One runner for a server or database, one per replica for a project, none for a value.</summary>
    public IEnumerable<IResourceRunner> Create(IResource resource) => resource switch
    {
        PostgresServerResource server => [Server(server, token => PostgresAsync(server, token))],
        RedisResource server => [Server(server, token => RedisAsync(server, token))],
        PostgresDatabaseResource database => [new DatabaseRunner(database, notifications, healthLoop, timeProvider)],
        ProjectResource project => Enumerable.Range(0, project.GetReplicaCount()).Select(_ => Replica(project)).ToList(),
        ParameterResource or ConnectionStringResource => [],
        _ => throw new DistributedApplicationException(
            $"Resource '{resource.Name}' of type {resource.GetType().Name} cannot be run by the embedded host."),
    };

    private ProcessRunner Runner(ProcessLaunch launch) => new(launch, notifications, healthLoop, timeProvider);

    private string LastLines(string resourceId) =>
        string.Join('\n', logs.GetAll(resourceId).TakeLast(LinesInErrors).Select(line => $"  {line.Content}"));

    private ProcessRunner Server(ContainerResource resource, Func<CancellationToken, Task<ILocalServer>> create)
    {
        var id = $"{resource.Name}-{ReplicaId.NewSuffix()}";
        ILocalServer? server = null;
        return Runner(new ProcessLaunch
        {
            Resource = resource,
            ResourceId = id,
            StartAsync = async cancellationToken =>
            {
                if (server is null)
                {
                    var prepared = await create(cancellationToken).ConfigureAwait(false);
                    await prepared.PrepareAsync(line => logs.Write(id, line, false), cancellationToken).ConfigureAwait(false);
                    server = prepared;
                }

                await PublishAsync(resource, id, server.Program ?? "", cancellationToken).ConfigureAwait(false);
                return server.Start((line, isError) => logs.Write(id, line, isError));
            },
            Release = () => server?.Dispose(),
            LastLines = () => LastLines(id),
        });
    }

    /// <summary>Says what a container would be given, and which program runs in its place.</summary>
    private async Task PublishAsync(ContainerResource resource, string id, string program, CancellationToken cancellationToken)
    {
        var variables = new List<EnvironmentVariableSnapshot>();
        foreach (var (name, value) in await configuration.EnvironmentAsync(resource, cancellationToken).ConfigureAwait(false))
        {
            variables.Add(new EnvironmentVariableSnapshot(name, await ResourceConfiguration.ResolveAsync(value, cancellationToken).ConfigureAwait(false), IsFromSpec: true));
        }

        await notifications.PublishUpdateAsync(resource, id, snapshot => snapshot with
        {
            EnvironmentVariables = [.. variables],
            Urls = [.. resource.Annotations.OfType<EndpointAnnotation>().Select(endpoint => new UrlSnapshot(endpoint.Name, endpoint.AllocatedEndpoint!.UriString, IsInternal: false))],
            Process = new ProcessSnapshot(program, [], "/"),
        }).ConfigureAwait(false);
    }

    private async Task<ILocalServer> PostgresAsync(PostgresServerResource resource, CancellationToken cancellationToken) => new PostgresServer(new PostgresServerOptions
    {
        Source = settings.PostgresSource,
        CacheDirectory = settings.CacheDirectory,
        DataDirectory = DataDirectory(resource),
        Port = resource.PrimaryEndpoint.Port,
        UserName = await resource.UserNameReference.GetValueAsync(cancellationToken).ConfigureAwait(false) ?? "postgres",
        Password = await resource.PasswordParameter.GetValueAsync(cancellationToken).ConfigureAwait(false) ?? "",
        Throwaway = IsThrowaway(resource),
    });

    private async Task<ILocalServer> RedisAsync(RedisResource resource, CancellationToken cancellationToken) => new RedisServer(new RedisServerOptions
    {
        Source = settings.RedisSource,
        CacheDirectory = settings.CacheDirectory,
        DataDirectory = DataDirectory(resource),
        Port = resource.PrimaryEndpoint.Port,
        Password = resource.PasswordParameter is null ? null : await resource.PasswordParameter.GetValueAsync(cancellationToken).ConfigureAwait(false),
        Throwaway = IsThrowaway(resource),
        ExtraArguments = RedisBuilderExtensions.PersistenceArguments(resource),
    });

    /// <summary>As with a container: without a volume the data ends with the run.</summary>
    private bool IsThrowaway(ContainerResource resource) =>
        settings.Throwaway || !resource.Annotations.OfType<ContainerMountAnnotation>().Any();

    private string DataDirectory(ContainerResource resource) => IsThrowaway(resource)
        ? ThrowawayDirectory.Create(resource.Name)
        : Path.Combine(settings.DataDirectory, resource.Name);

    private ProcessRunner Replica(ProjectResource project)
    {
        var suffix = ReplicaId.NewSuffix();
        var id = $"{project.Name}-{suffix}";
        var targets = project.Annotations.OfType<EndpointAnnotation>()
            .Select(endpoint => (Endpoint: endpoint, TargetPort: endpoints.ReserveTarget())).ToList();
        return Runner(new ProcessLaunch
        {
            Resource = project,
            ResourceId = id,
            RunsToCompletion = model.Resources.SelectMany(resource => resource.Annotations.OfType<WaitAnnotation>())
                .Any(wait => wait.WaitType == WaitType.WaitForCompletion && wait.Resource == project),
            StartAsync = cancellationToken => StartAsync(project, id, suffix, targets, cancellationToken),
            TargetPort = endpoint => targets.Single(target => target.Endpoint == endpoint).TargetPort,
            Traffic = healthy => PassOn(targets, healthy),
            LastLines = () => LastLines(id),
        });
    }

    private void PassOn(List<(EndpointAnnotation Endpoint, int TargetPort)> targets, bool? healthy)
    {
        foreach (var (endpoint, port) in targets)
        {
            if (healthy is { } known)
            {
                endpoints.ProxyOf(endpoint).SetTarget(port, known);
            }
            else
            {
                endpoints.ProxyOf(endpoint).RemoveTarget(port);
            }
        }
    }

    private async Task<GuardedProcess> StartAsync(
        ProjectResource project, string id, string suffix, List<(EndpointAnnotation Endpoint, int TargetPort)> targets, CancellationToken cancellationToken)
    {
        var variables = await configuration.EnvironmentAsync(project, cancellationToken).ConfigureAwait(false);
        ProjectEnvironment.AddReplica(variables, project, suffix, targets);
        var environment = new Dictionary<string, string?>();
        foreach (var name in ProjectEnvironment.NotInherited)
        {
            environment[name] = null;
        }

        var snapshots = new List<EnvironmentVariableSnapshot>();
        foreach (var (name, value) in variables)
        {
            environment[name] = await ResourceConfiguration.ResolveAsync(value, cancellationToken).ConfigureAwait(false);
            snapshots.Add(new EnvironmentVariableSnapshot(name, environment[name], IsFromSpec: true));
        }

        var arguments = new List<string>();
        foreach (var argument in await ResourceConfiguration.ArgumentsAsync(project, cancellationToken).ConfigureAwait(false))
        {
            arguments.Add(await ResourceConfiguration.ResolveAsync(argument, cancellationToken).ConfigureAwait(false));
        }

        var projectPath = project.Annotations.OfType<IProjectMetadata>().Single().ProjectPath;
        var directory = Path.GetDirectoryName(projectPath)!;
        await notifications.PublishUpdateAsync(project, id, snapshot => snapshot with
        {
            EnvironmentVariables = [.. snapshots],
            Urls = [.. targets.Select(target => new UrlSnapshot(target.Endpoint.Name, target.Endpoint.AllocatedEndpoint!.UriString, false))],
            Process = new ProcessSnapshot(assemblies.PathOf(projectPath), arguments, directory),
        }).ConfigureAwait(false);
        return GuardedProcess.Start(new GuardedProcessStart
        {
            FileName = ProjectAssemblies.Dotnet,
            Arguments = ["exec", assemblies.PathOf(projectPath), .. arguments],
            Environment = environment,
            WorkingDirectory = directory,
            GracePeriod = settings.GracePeriod,
            Output = (line, isError) => logs.Write(id, line, isError),
        });
    }
}
