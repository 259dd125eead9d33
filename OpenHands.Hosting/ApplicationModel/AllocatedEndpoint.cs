namespace Aspire.Hosting.ApplicationModel;

/// <summary>The address of an endpoint in a running application.</summary>
/// <param name="endpoint">The endpoint it belongs to.</param>
/// <param name="address">The host name.</param>
/// <param name="port">The port others use.</param>
public sealed class AllocatedEndpoint(EndpointAnnotation endpoint, string address, int port)
{
    /// <summary>The host name.</summary>
    public string Address { get; } = address;

    /// <summary>The port others use.</summary>
    public int Port { get; } = port;

    /// <summary>Host and port.</summary>
    public string EndPointString => $"{Address}:{Port}";

    /// <summary>The address as a URL.</summary>
    public string UriString => $"{endpoint.UriScheme}://{EndPointString}";
}
