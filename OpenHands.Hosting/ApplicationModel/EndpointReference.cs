namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint of a resource, by name; it may be declared after the reference is made.</summary>
/// <param name="owner">The resource.</param>
/// <param name="endpointName">The endpoint's name.</param>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    /// <summary>The resource.</summary>
    public IResourceWithEndpoints Resource { get; } = owner;

    /// <summary>The endpoint's name.</summary>
    public string EndpointName { get; } = endpointName;

    /// <summary>True when the resource has declared the endpoint.</summary>
    public bool Exists => FindAnnotation() is not null;

    /// <summary>True once the address is known.</summary>
    public bool IsAllocated => FindAnnotation()?.AllocatedEndpoint is not null;

    /// <summary>The host name.</summary>
    /// <exception cref="InvalidOperationException">The address is not known yet.</exception>
    public string Host => Allocated.Address;

    /// <summary>The port others use.</summary>
    /// <exception cref="InvalidOperationException">The address is not known yet.</exception>
    public int Port => Allocated.Port;

    /// <summary>The port the resource listens on, when one was asked for.</summary>
    public int? TargetPort => Annotation.TargetPort;

    /// <summary>The scheme of the URL.</summary>
    public string Scheme => Annotation.UriScheme;

    /// <summary>The URL.</summary>
    /// <exception cref="InvalidOperationException">The address is not known yet.</exception>
    public string Url => Allocated.UriString;

    string IManifestExpressionProvider.ValueExpression => Expression("url");

    IEnumerable<object> IValueWithReferences.References => [Resource];

    internal EndpointAnnotation Annotation => FindAnnotation()
        ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' does not exist on the resource '{Resource.Name}'.");

    private AllocatedEndpoint Allocated => Annotation.AllocatedEndpoint
        ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' of the resource '{Resource.Name}' is not allocated yet.");

    /// <summary>A part of the address.</summary>
    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    /// <inheritdoc/>
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        Property(EndpointProperty.Url).GetValueAsync(cancellationToken);

    internal string Expression(string part) => $"{{{Resource.Name}.bindings.{EndpointName}.{part}}}";

    private EndpointAnnotation? FindAnnotation() => Resource.Annotations.OfType<EndpointAnnotation>()
        .SingleOrDefault(endpoint => string.Equals(endpoint.Name, EndpointName, StringComparison.OrdinalIgnoreCase));
}
