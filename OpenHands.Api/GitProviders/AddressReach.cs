using System.Net;
using System.Net.Sockets;

namespace OpenHands.Api.GitProviders;

/// <summary>From where an address can be reached.</summary>
internal enum AddressReach
{
    /// <summary>From everywhere.</summary>
    Public,

    /// <summary>From this machine or this network alone; here stand other services, and perhaps one's own git provider.</summary>
    Private,

    /// <summary>No host that anybody would name: this link (where clouds keep their credentials), many hosts at once, or reserved.</summary>
    Never,
}

/// <summary>Tells from where addresses can be reached.</summary>
internal static class AddressReachExtensions
{
    private static readonly IPNetwork[] Private = Networks("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7");

    private static readonly IPNetwork[] Never = Networks(
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "100.100.100.200/32", "fd00:ec2::/32", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>From where <paramref name="address"/> can be reached. One that stands for another counts as that.</summary>
    public static AddressReach Reach(this IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4().Reach();
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && Translated.Contains(address))
            return new IPAddress(address.GetAddressBytes().AsSpan(12)).Reach();
        if (IsIn(address, Never))
            return AddressReach.Never;
        if (IsIn(address, Private))
            return AddressReach.Private;
        return address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address) ? AddressReach.Public : AddressReach.Never;
    }

    private static bool IsIn(IPAddress address, IPNetwork[] networks) => Array.Exists(networks, network => network.Contains(address));

    private static IPNetwork[] Networks(params string[] texts) => Array.ConvertAll(texts, IPNetwork.Parse);
}
