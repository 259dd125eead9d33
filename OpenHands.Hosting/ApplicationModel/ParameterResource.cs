namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value that comes from outside: configuration, the user's profile, or a generated default.</summary>
/// <param name="name">The parameter's name; its configuration key is <c>Parameters:{name}</c>.</param>
/// <param name="callback">Finds the value, given the default.</param>
/// <param name="secret">True when the value must not be shown.</param>
public sealed class ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false)
    : Resource(name), IManifestExpressionProvider, IValueProvider
{
    private readonly Lock _lock = new();
    private string? _value;

    /// <summary>True when the value must not be shown.</summary>
    public bool Secret { get; } = secret;

    /// <summary>The value when nobody set one.</summary>
    public ParameterDefault? Default { get; set; }

    /// <summary>What the parameter is for.</summary>
    public string? Description { get; set; }

    /// <inheritdoc/>
    public string ValueExpression => $"{{{Name}.value}}";

    /// <inheritdoc/>
    /// <exception cref="MissingParameterValueException">The parameter has no value and no default.</exception>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(_value ??= callback(Default));
        }
    }
}
