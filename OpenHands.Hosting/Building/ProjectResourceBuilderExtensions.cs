using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Projects;

namespace Aspire.Hosting;

/// <summary>Adds .NET projects.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project that the AppHost references.</summary>
    /// <typeparam name="TProject">Its generated class <c>Projects.*</c>.</typeparam>
    /// <exception cref="DistributedApplicationException">Its launch profiles are not excluded, which the embedded host requires.</exception>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(
        this IDistributedApplicationBuilder builder, string name, Action<ProjectResourceOptions> configure)
        where TProject : IProjectMetadata, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new ProjectResourceOptions();
        configure(options);
        if (!options.ExcludeLaunchProfile)
        {
            throw new DistributedApplicationException(
                $"Project '{name}': the embedded host reads no launch profiles; set ExcludeLaunchProfile and declare the endpoints in the AppHost.");
        }

        var project = new ProjectResource(name);
        return builder.AddResource(project)
            .WithAnnotation(new TProject())
            .WithAnnotation(new ExcludeLaunchProfileAnnotation())
            .WithEnvironment(context => ProjectEnvironment.Add(project, builder, context));
    }

    /// <summary>Runs the project as several processes behind its endpoints.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }
}
