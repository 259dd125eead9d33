using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Says what a resource is given, whom it refers to and what it waits for.</summary>
public static class ResourceBuilderExtensions
{
    /// <summary>Sets an environment variable.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment =>
        builder.WithEnvironment(context => context.EnvironmentVariables[name] = value ?? string.Empty);

    /// <summary>Sets an environment variable to a value that is known when the application runs.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, ReferenceExpression value)
        where T : IResourceWithEnvironment =>
        builder.WithEnvironment(context => context.EnvironmentVariables[name] = value);

    /// <summary>Sets an environment variable to a parameter.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return builder.WithEnvironment(context => context.EnvironmentVariables[name] = parameter.Resource);
    }

    /// <summary>Sets environment variables when the resource starts.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> callback)
        where T : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));
    }

    /// <summary>Adds command-line arguments.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args)
        where T : IResourceWithArgs =>
        builder.WithArgs(context =>
        {
            foreach (var arg in args)
            {
                context.Args.Add(arg);
            }

            return Task.CompletedTask;
        });

    /// <summary>Adds command-line arguments when the resource starts.</summary>
    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, Func<CommandLineArgsCallbackContext, Task> callback)
        where T : IResourceWithArgs
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new CommandLineArgsCallbackAnnotation(callback));
    }

    /// <summary>Adds an endpoint.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="port">The port others use; null takes a free one.</param>
    /// <param name="targetPort">The port the resource listens on; null takes a free one.</param>
    /// <param name="scheme">The scheme of its URL; null is tcp.</param>
    /// <param name="name">Its name; null is the scheme.</param>
    /// <param name="env">A variable that tells the resource its target port.</param>
    /// <param name="isProxied">True when the host listens on the port and passes connections on.</param>
    /// <param name="isExternal">True when it is meant for callers outside the application.</param>
    /// <param name="protocol">TCP unless said otherwise.</param>
    /// <exception cref="DistributedApplicationException">The resource has an endpoint of that name.</exception>
    public static IResourceBuilder<T> WithEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? scheme = null, string? name = null,
        string? env = null, bool isProxied = true, bool? isExternal = null, ProtocolType? protocol = null)
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(builder);
        var endpoint = new EndpointAnnotation(
            protocol ?? ProtocolType.Tcp, scheme, transport: null, name, port, targetPort, isExternal, isProxied);
        if (builder.Resource.Annotations.OfType<EndpointAnnotation>().Any(other => string.Equals(other.Name, endpoint.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new DistributedApplicationException($"Resource '{builder.Resource.Name}' has an endpoint '{endpoint.Name}' already.");
        }

        if (env is not null)
        {
            var reference = new EndpointReference(builder.Resource, endpoint.Name);
            builder.WithAnnotation(new EnvironmentCallbackAnnotation(
                context => context.EnvironmentVariables[env] = reference.Property(EndpointProperty.TargetPort)));
        }

        return builder.WithAnnotation(endpoint);
    }

    /// <summary>Adds an HTTP endpoint.</summary>
    public static IResourceBuilder<T> WithHttpEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? name = null, string? env = null, bool isProxied = true)
        where T : IResourceWithEndpoints =>
        builder.WithEndpoint(port, targetPort, "http", name, env, isProxied);

    /// <summary>Marks every HTTP endpoint as meant for callers outside the application.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder)
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(builder);
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.UriScheme is "http" or "https"))
        {
            endpoint.IsExternal = true;
        }

        return builder;
    }

    /// <summary>An endpoint by name.</summary>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name)
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(builder);
        return new EndpointReference(builder.Resource, name);
    }

    /// <summary>Says what references put into the environment; call it before them.</summary>
    public static IResourceBuilder<TDestination> WithReferenceEnvironment<TDestination>(
        this IResourceBuilder<TDestination> builder, ReferenceEnvironmentInjectionFlags flags)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new ReferenceEnvironmentInjectionAnnotation(flags), ResourceAnnotationMutationBehavior.Replace);
    }

    /// <summary>Gives the resource another's connection string, as <c>ConnectionStrings__{connectionName}</c>.</summary>
    /// <param name="builder">The resource that refers.</param>
    /// <param name="source">The resource referred to.</param>
    /// <param name="connectionName">The name the resource knows it by; null is the source's name.</param>
    /// <param name="optional">True when there may be none.</param>
    /// <exception cref="DistributedApplicationException">
    /// The references of the resource are to inject connection properties, which the embedded host does not offer.
    /// </exception>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(source);
        var flags = InjectionFlags(builder.Resource);
        if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionProperties))
        {
            throw new DistributedApplicationException(
                $"Resource '{builder.Resource.Name}': the embedded host injects connection strings, not their parts; call WithReferenceEnvironment(ConnectionString | ServiceDiscovery) before WithReference.");
        }

        var resource = source.Resource;
        builder.WithAnnotation(new ResourceRelationshipAnnotation(resource, "Reference"));
        return !flags.HasFlag(ReferenceEnvironmentInjectionFlags.ConnectionString)
            ? builder
            : builder.WithEnvironment(context =>
            {
                var variable = resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{connectionName ?? resource.Name}";
                context.EnvironmentVariables[variable] = new ConnectionStringReference(resource, optional);
            });
    }

    /// <summary>Lets the resource find another's endpoints by name (service discovery).</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(source);
        var resource = source.Resource;
        var flags = InjectionFlags(builder.Resource);
        return builder
            .WithAnnotation(new ResourceRelationshipAnnotation(resource, "Reference"))
            .WithAnnotation(new EnvironmentCallbackAnnotation(context => AddServiceDiscovery(context, resource, flags)));
    }

    /// <summary>Starts the resource only when the other is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dependency);
        // A database is there only when its server is, so waiting for it waits for both.
        for (var parent = (dependency.Resource as IResourceWithParent)?.Parent; parent is not null; parent = (parent as IResourceWithParent)?.Parent)
        {
            builder.WithAnnotation(new WaitAnnotation(parent, WaitType.WaitUntilHealthy));
        }

        return builder
            .WithAnnotation(new ResourceRelationshipAnnotation(dependency.Resource, "WaitFor"))
            .WithAnnotation(new WaitAnnotation(dependency.Resource, WaitType.WaitUntilHealthy));
    }

    /// <summary>Starts the resource only when the other ended with an exit code.</summary>
    public static IResourceBuilder<T> WaitForCompletion<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, int exitCode = 0)
        where T : IResourceWithWaitSupport
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dependency);
        return builder
            .WithAnnotation(new ResourceRelationshipAnnotation(dependency.Resource, "WaitFor"))
            .WithAnnotation(new WaitAnnotation(dependency.Resource, WaitType.WaitForCompletion, exitCode));
    }

    /// <summary>Adds a health check by its key.</summary>
    public static IResourceBuilder<T> WithHealthCheck<T>(this IResourceBuilder<T> builder, string key)
        where T : IResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Resource.Annotations.OfType<HealthCheckAnnotation>().Any(check => check.Key == key)
            ? throw new DistributedApplicationException($"Resource '{builder.Resource.Name}' already has a health check with key '{key}'.")
            : builder.WithAnnotation(new HealthCheckAnnotation(key));
    }

    /// <summary>Asks an HTTP endpoint whether the resource is healthy.</summary>
    /// <param name="builder">The resource.</param>
    /// <param name="path">The path asked for; null is <c>/</c>.</param>
    /// <param name="statusCode">The status that counts as healthy; null is 200.</param>
    /// <param name="endpointName">The endpoint; null takes https, then http.</param>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints
    {
        ArgumentNullException.ThrowIfNull(builder);
        string[] candidates = endpointName is null ? ["https", "http"] : [endpointName];
        var endpoint = candidates.Select(builder.GetEndpoint).FirstOrDefault(reference => reference.Exists)
            ?? throw new DistributedApplicationException($"Resource '{builder.Resource.Name}' has no endpoint {string.Join(" or ", candidates)} for its health check.");
        var expected = statusCode ?? 200;
        var uri = path ?? "/";
        return builder
            .WithAnnotation(new HttpHealthCheckAnnotation(endpoint, uri, expected))
            .WithHealthCheck($"{builder.Resource.Name}_{endpoint.EndpointName}_{uri}_{expected}_check");
    }

    private static ReferenceEnvironmentInjectionFlags InjectionFlags(IResource resource) =>
        resource.TryGetLastAnnotation<ReferenceEnvironmentInjectionAnnotation>(out var injection)
            ? injection.Flags
            : ReferenceEnvironmentInjectionFlags.All;

    private static void AddServiceDiscovery(EnvironmentCallbackContext context, IResourceWithServiceDiscovery resource, ReferenceEnvironmentInjectionFlags flags)
    {
        var indexes = new Dictionary<string, int>();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            var reference = new EndpointReference(resource, endpoint.Name);
            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.Endpoints))
            {
                context.EnvironmentVariables[$"{resource.Name.Replace('-', '_')}_{endpoint.Name.Replace('-', '_')}".ToUpperInvariant()] = reference;
            }

            if (flags.HasFlag(ReferenceEnvironmentInjectionFlags.ServiceDiscovery))
            {
                var index = indexes.GetValueOrDefault(endpoint.UriScheme);
                context.EnvironmentVariables[$"services__{resource.Name}__{endpoint.UriScheme}__{index}"] = reference;
                indexes[endpoint.UriScheme] = index + 1;
            }
        }
    }
}
