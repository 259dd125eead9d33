namespace Aspire.Hosting.ApplicationModel;

/// <summary>The address of an endpoint in a running application.</summary>
public sealed class AllocatedEndpoint
{
    private readonly EndpointAnnotation _endpoint;

    /// <param name="endpoint">The endpoint it belongs to.</param>
    /// <param name="address">The host name.</param>
    /// <param name="port">The port others use.</param>
    internal AllocatedEndpoint(EndpointAnnotation endpoint, string address, int port)
    {
        _endpoint = endpoint;
        Address = address;
        Port = port;
    }

    /// <summary>The host name.</summary>
    public string Address { get; }

    /// <summary>The port others use.</summary>
    public int Port { get; }

    /// <summary>Host and port.</summary>
    public string EndPointString => $"{Address}:{Port}";

    /// <summary>The address as a URL.</summary>
    public string UriString => $"{_endpoint.UriScheme}://{EndPointString}";
}
