namespace Aspire.Hosting.ApplicationModel;

/// <summary>A Redis server.</summary>
public sealed class RedisResource : ContainerResource, IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";

    /// <summary>Describes a server.</summary>
    /// <param name="name">The resource's name.</param>
    /// <param name="password">Its password.</param>
    public RedisResource(string name, ParameterResource password)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(password);
        PrimaryEndpoint = new EndpointReference(this, PrimaryEndpointName);
        PasswordParameter = password;
    }

    /// <summary>Where the server listens.</summary>
    public EndpointReference PrimaryEndpoint { get; }

    /// <summary>The host name.</summary>
    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);

    /// <summary>The port.</summary>
    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);

    /// <summary>The password.</summary>
    public ParameterResource? PasswordParameter { get; private set; }

    /// <inheritdoc/>
    public ReferenceExpression ConnectionStringExpression => PasswordParameter is null
        ? ReferenceExpression.Create($"{Host}:{Port}{TlsOption}")
        : ReferenceExpression.Create($"{Host}:{Port},password={PasswordParameter}{TlsOption}");

    private ConditionalExpression TlsOption => new(
        PrimaryEndpoint.Property(EndpointProperty.TlsEnabled), bool.TrueString, ReferenceExpression.Create($",ssl=true"), ReferenceExpression.Create($""));

    internal void SetPassword(ParameterResource? password) => PasswordParameter = password;
}
