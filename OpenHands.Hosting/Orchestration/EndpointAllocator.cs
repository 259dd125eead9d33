using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Gives every endpoint its address before anything starts, and holds the ports until the end.</summary>
/// <param name="settings">Whether ports that were asked for count.</param>
internal sealed class EndpointAllocator(HostSettings settings) : IAsyncDisposable
{
    private readonly Dictionary<EndpointAnnotation, EndpointProxy> _proxies = [];
    private readonly List<PortReservation> _reservations = [];

    /// <summary>Allocates the endpoints of all resources.</summary>
    /// <exception cref="DistributedApplicationException">A port that was asked for is taken, or asked for twice.</exception>
    public void Allocate(IEnumerable<IResource> resources)
    {
        var askedBy = new Dictionary<int, IResource>();
        foreach (var resource in resources)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                var port = settings.RandomPorts ? 0 : endpoint.Port ?? 0;
                // Two reservations of ours would not collide: neither listens.
                if (port != 0 && !askedBy.TryAdd(port, resource))
                {
                    throw new DistributedApplicationException(
                        $"Port {port} is asked for by '{askedBy[port].Name}' and by '{resource.Name}'. Choose another one with --Ports:{OptionName(resource)}=<port>.");
                }

                try
                {
                    endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, endpoint.TargetHost, Take(resource, endpoint, port));
                }
                catch (SocketException exception)
                {
                    throw new DistributedApplicationException(
                        $"Port {port} for '{resource.Name}' cannot be used ({exception.SocketErrorCode}): "
                        + $"another program listens on it. Stop that program, or choose another port with --Ports:{OptionName(resource)}=<port>.",
                        exception);
                }
            }
        }
    }

    /// <summary>A port for one replica to listen on.</summary>
    public int ReserveTarget()
    {
        var reservation = PortReservation.Any();
        _reservations.Add(reservation);
        return reservation.Port;
    }

    /// <summary>What passes connections on to the replicas behind an endpoint.</summary>
    public EndpointProxy ProxyOf(EndpointAnnotation endpoint) => _proxies[endpoint];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies.Values)
        {
            await proxy.DisposeAsync().ConfigureAwait(false);
        }

        _reservations.ForEach(reservation => reservation.Dispose());
    }

    private static string OptionName(IResource resource) => char.ToUpperInvariant(resource.Name[0]) + resource.Name[1..];

    private int Take(IResource resource, EndpointAnnotation endpoint, int port)
    {
        if (resource is ProjectResource)
        {
            var proxy = new EndpointProxy(port);
            _proxies[endpoint] = proxy;
            return proxy.Port;
        }

        // A server has one process, which listens on the port itself.
        var reservation = port == 0 ? PortReservation.Any() : PortReservation.Of(port);
        _reservations.Add(reservation);
        return reservation.Port;
    }
}
