using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Dashboard;

/// <summary>The dashboard that the host starts. It is not part of the application: nobody waits for it and nothing is published of it.</summary>
internal sealed class DashboardResource : Resource, IResourceWithEndpoints
{
    /// <summary>The dashboard at a port.</summary>
    public DashboardResource(int port)
        : base("dashboard")
    {
        var endpoint = new EndpointAnnotation(ProtocolType.Tcp, "http", port: port, isProxied: false);
        endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, endpoint.TargetHost, port);
        Annotations.Add(endpoint);
        Url = endpoint.AllocatedEndpoint.UriString;
        Annotations.Add(new HealthCheckAnnotation("dashboard_http_/health_200_check"));
        Annotations.Add(new HttpHealthCheckAnnotation(new EndpointReference(this, endpoint.Name), "/health", 200));
    }

    /// <summary>Its address.</summary>
    public string Url { get; }
}
