namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a callback that adds arguments is given.</summary>
/// <param name="args">The arguments so far; each is a text or an <see cref="IValueProvider"/>.</param>
/// <param name="cancellationToken">Cancelled when the start is given up.</param>
public sealed class CommandLineArgsCallbackContext(IList<object> args, CancellationToken cancellationToken = default)
{
    /// <summary>The arguments so far.</summary>
    public IList<object> Args { get; } = args;

    /// <summary>Cancelled when the start is given up.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;
}
