using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Says what a container is given.</summary>
public static class ContainerResourceBuilderExtensions
{
    /// <summary>Gives the container a named volume.</summary>
    public static IResourceBuilder<T> WithVolume<T>(this IResourceBuilder<T> builder, string? name, string target, bool isReadOnly = false)
        where T : ContainerResource
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithAnnotation(new ContainerMountAnnotation(name, target, ContainerMountType.Volume, isReadOnly));
    }

    internal static IResourceBuilder<T> WithImage<T>(this IResourceBuilder<T> builder, string registry, string image, string tag)
        where T : ContainerResource =>
        builder.WithAnnotation(new ContainerImageAnnotation { Registry = registry, Image = image, Tag = tag });
}
