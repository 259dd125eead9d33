using System.ComponentModel.DataAnnotations;
using OpenHands.Storage.RateLimits;

namespace OpenHands.Api.RateLimits;

/// <summary>One policy. At no moment may a caller have asked for more than the limit in the window before it.</summary>
internal sealed class RateLimitPolicyOptions
{
    /// <summary>Whom it counts together. Allowed: `Address`, `User`, `Organization`, `ApiKey`.</summary>
    public LimitedBy By { get; set; }

    /// <summary>Which requests it counts. Allowed: `Ordinary`, `Authentication`; the latter only by address.</summary>
    public LimitedRoutes Routes { get; set; }

    /// <summary>What the requests may cost together; most cost 1. Zero turns the policy off.</summary>
    [Range(0, 1_000_000)]
    public int Limit { get; set; }

    /// <summary>The time: a second to a day.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether it only watches and refuses nothing; what it would refuse is counted in `openhands.ratelimit.requests`.</summary>
    public bool Shadow { get; set; }

    internal bool IsPossible =>
        Limit is >= 0 and <= 1_000_000 && Window >= TimeSpan.FromSeconds(1) && Window <= TimeSpan.FromDays(1) && Enum.IsDefined(By) && Enum.IsDefined(Routes)
        && (Limit is 0 || Limit >= RequestCost.Most) && (Routes == LimitedRoutes.Ordinary || By == LimitedBy.Address);

    internal RateLimitPolicy Policy(string name) => new(name, Limit, Window, Shadow, IsClosedWithoutRedis: Routes == LimitedRoutes.Authentication);
}
