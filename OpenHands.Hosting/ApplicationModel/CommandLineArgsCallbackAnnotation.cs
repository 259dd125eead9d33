namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds command-line arguments when the resource starts or is published.</summary>
/// <param name="callback">Writes into the context's arguments.</param>
public sealed class CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> callback) : IResourceAnnotation
{
    /// <summary>Writes into the context's arguments.</summary>
    public Func<CommandLineArgsCallbackContext, Task> Callback { get; } = callback;
}
