using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using Microsoft.Extensions.Options;
using OpenHands.Api.Auth;
using OpenHands.Storage.RateLimits;

namespace OpenHands.Api.RateLimits;

/// <summary>Who a request counts for, under the policies that are configured.</summary>
internal sealed class LimitedCallers(IOptions<RateLimitOptions> options)
{
    private readonly (LimitedRoutes Routes, LimitedBy By, RateLimitPolicy Policy)[] _policies =
        [.. options.Value.Policies.Where(each => each.Value.Limit > 0).Select(each => (each.Value.Routes, each.Value.By, each.Value.Policy(each.Key)))];

    /// <summary>The caller under each policy that counts the request; perhaps none.</summary>
    public List<LimitedCaller> Of(HttpContext context, LimitedRoutes routes)
    {
        var callers = new List<LimitedCaller>(_policies.Length);
        foreach (var (ofRoutes, by, policy) in _policies)
        {
            if (ofRoutes == routes && Id(context, by, routes) is { } id)
                callers.Add(new LimitedCaller(policy, id));
        }

        return callers;
    }

    private static string? Id(HttpContext context, LimitedBy by, LimitedRoutes routes) => by switch
    {
        LimitedBy.User => context.User.FindFirstValue(ClaimTypes.NameIdentifier),
        LimitedBy.ApiKey => context.User.KeyId(),
        // That of a key, which is certain. Counted by the path, strangers could use up what belongs to the members.
        LimitedBy.Organization => context.User.KeyOrganization(),
        _ when routes == LimitedRoutes.Ordinary && context.User.Identity?.IsAuthenticated is true => null,
        _ => Network(context.Connection.RemoteIpAddress),
    };

    // Whoever has one IPv6 address has 2^64 of them.
    private static string Network(IPAddress? address)
    {
        if (address is null)
            return "local";
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return address.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
