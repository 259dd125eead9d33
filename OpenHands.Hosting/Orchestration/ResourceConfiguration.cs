using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Works out a resource's environment and arguments from what the AppHost said.</summary>
/// <param name="executionContext">Run or publish.</param>
internal sealed class ResourceConfiguration(DistributedApplicationExecutionContext executionContext)
{
    /// <summary>The environment variables in the order they were said, as values or providers.</summary>
    public async Task<Dictionary<string, object>> EnvironmentAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(executionContext, cancellationToken: cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }

        return context.EnvironmentVariables;
    }

    /// <summary>The arguments in the order they were said, as values or providers.</summary>
    public static async Task<IReadOnlyList<object>> ArgumentsAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new CommandLineArgsCallbackContext([], cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(context).ConfigureAwait(false);
        }

        return [.. context.Args];
    }

    /// <summary>The value itself; waits until it is known.</summary>
    public static async Task<string> ResolveAsync(object value, CancellationToken cancellationToken) => value switch
    {
        string text => text,
        IResourceBuilder<IResource> { Resource: IValueProvider provider } => await provider.GetValueAsync(cancellationToken).ConfigureAwait(false) ?? "",
        IValueProvider provider => await provider.GetValueAsync(cancellationToken).ConfigureAwait(false) ?? "",
        _ => value.ToString() ?? "",
    };
}
