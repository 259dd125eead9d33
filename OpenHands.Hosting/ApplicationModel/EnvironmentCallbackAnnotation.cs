namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds environment variables when the resource starts or is published.</summary>
/// <param name="callback">Writes into the context's variables.</param>
public sealed class EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> callback) : IResourceAnnotation
{
    /// <inheritdoc cref="EnvironmentCallbackAnnotation"/>
    public EnvironmentCallbackAnnotation(Action<EnvironmentCallbackContext> callback)
        : this(context =>
        {
            callback(context);
            return Task.CompletedTask;
        })
    {
    }

    /// <summary>Writes into the context's variables.</summary>
    public Func<EnvironmentCallbackContext, Task> Callback { get; } = callback;
}
