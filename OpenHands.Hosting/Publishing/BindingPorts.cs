using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Publishing;

/// <summary>Chooses the ports that a manifest names for the endpoints of all resources.</summary>
internal sealed class BindingPorts
{
    /// <summary>The first port given to an endpoint that nobody gave one, as Aspire does.</summary>
    private const int FirstAllocated = 8000;

    private readonly HashSet<int> _used = [];

    /// <summary>The ports of a resource's endpoints; a port equal to its target, and what the deployment chooses, is null.</summary>
    public IEnumerable<(EndpointAnnotation Endpoint, int? Port, int? TargetPort)> Of(IResource resource)
    {
        var schemes = new HashSet<string>();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            var target = endpoint.TargetPort ?? Target(resource, endpoint, firstOfScheme: schemes.Add(endpoint.UriScheme));
            foreach (var port in new[] { endpoint.Port, target }.OfType<int>())
            {
                _used.Add(port);
            }

            yield return (endpoint, endpoint.Port == target ? null : endpoint.Port, target);
        }
    }

    private int? Target(IResource resource, EndpointAnnotation endpoint, bool firstOfScheme) => resource switch
    {
        ContainerResource when endpoint.Port is { } port => port,
        // The image's own port: 8080 unless the deployment says otherwise.
        ProjectResource when firstOfScheme && endpoint.UriScheme is "http" or "https" => null,
        _ => Enumerable.Range(FirstAllocated, _used.Count + 1).First(port => !_used.Contains(port)),
    };
}
