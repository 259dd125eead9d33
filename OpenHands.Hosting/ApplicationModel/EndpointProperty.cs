namespace Aspire.Hosting.ApplicationModel;

/// <summary>A part of an endpoint's address.</summary>
public enum EndpointProperty
{
    /// <summary>The whole URL.</summary>
    Url,

    /// <summary>The host name.</summary>
    Host,

    /// <summary>The IPv4 address.</summary>
    IPV4Host,

    /// <summary>The port others use.</summary>
    Port,

    /// <summary>The scheme of the URL.</summary>
    Scheme,

    /// <summary>The port the resource itself listens on.</summary>
    TargetPort,

    /// <summary>Host and port, separated by a colon.</summary>
    HostAndPort,

    /// <summary>Whether the endpoint speaks TLS: <c>True</c> or <c>False</c>.</summary>
    TlsEnabled,
}
