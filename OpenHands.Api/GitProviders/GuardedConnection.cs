using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.GitProviders;

/// <summary>
/// Opens connections to hosts that users name, and only to addresses that are open to everybody: what a user names must not become
/// a way into the network of this server. The address that is looked at is the one that is connected to.
/// </summary>
internal sealed class GuardedConnection(IOptions<GitProviderOptions> options)
{
    /// <summary>Resolves the host and connects to an address that is allowed; throws where there is none.</summary>
    public async ValueTask<Stream> OpenAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var isEncrypted = context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps;
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        var allowed = Array.FindAll(addresses, address => IsAllowed(address.Reach(), isEncrypted));
        if (allowed.Length == 0)
            throw new HostNotAllowedException();

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A token never goes over the open network in clear.
    private bool IsAllowed(AddressReach reach, bool isEncrypted) => reach switch
    {
        AddressReach.Public => isEncrypted,
        AddressReach.Private => options.Value.AllowPrivateHosts,
        _ => false,
    };
}

/// <summary>A host that users may not name.</summary>
internal sealed class HostNotAllowedException() : IOException("The host is at no address that may be connected to.");
