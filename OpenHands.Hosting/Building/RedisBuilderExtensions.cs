using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Adds Redis servers.</summary>
public static class RedisBuilderExtensions
{
    private const int ServerPort = 6379;

    /// <summary>Adds a server. Its password is <paramref name="password"/>, or generated.</summary>
    /// <param name="builder">The application.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="port">The port; null takes a free one.</param>
    /// <param name="password">The password; null generates one as parameter <c>{name}-password</c>.</param>
    public static IResourceBuilder<RedisResource> AddRedis(
        this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var server = new RedisResource(name, password?.Resource ?? builder.GeneratedPassword($"{name}-password", special: false))
        {
            Entrypoint = "/bin/sh",
        };
        return builder.AddResource(server)
            .WithEndpoint(port: port, targetPort: ServerPort, scheme: "redis", name: RedisResource.PrimaryEndpointName)
            .WithImage("docker.io", "library/redis", "8.6")
            .WithEnvironment(context =>
            {
                if (server.PasswordParameter is not null)
                {
                    context.EnvironmentVariables["REDIS_PASSWORD"] = server.PasswordParameter;
                }
            })
            .WithArgs(context =>
            {
                string[] password = server.PasswordParameter is null ? [] : ["--requirepass", "$REDIS_PASSWORD"];
                string[] command = ["redis-server", .. password, .. PersistenceArguments(server)];
                // A published container has a shell that puts the password in.
                string[] args = builder.ExecutionContext.IsPublishMode ? ["-c", string.Join(' ', command)] : command;
                foreach (var arg in args)
                {
                    context.Args.Add(arg);
                }

                return Task.CompletedTask;
            })
            .WithHealthCheck($"{name}_check");
    }

    /// <summary>Keeps the server's data from run to run.</summary>
    public static IResourceBuilder<RedisResource> WithDataVolume(
        this IResourceBuilder<RedisResource> builder, string? name = null, bool isReadOnly = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.WithVolume(name ?? VolumeName.For(builder, "data"), "/data", isReadOnly);
        return isReadOnly ? builder : builder.WithPersistence();
    }

    /// <summary>Writes a snapshot after an interval (60 s unless said otherwise) in which enough keys changed.</summary>
    public static IResourceBuilder<RedisResource> WithPersistence(
        this IResourceBuilder<RedisResource> builder, TimeSpan? interval = null, long keysChangedThreshold = 1)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(
            new PersistenceAnnotation(interval, keysChangedThreshold), ResourceAnnotationMutationBehavior.Replace);
    }

    internal static IReadOnlyList<string> PersistenceArguments(RedisResource server) =>
        server.TryGetLastAnnotation<PersistenceAnnotation>(out var persistence)
            ?
            [
                "--save",
                persistence.Interval.TotalSeconds.ToString(CultureInfo.InvariantCulture),
                persistence.KeysChangedThreshold.ToString(CultureInfo.InvariantCulture),
            ]
            : [];
}
