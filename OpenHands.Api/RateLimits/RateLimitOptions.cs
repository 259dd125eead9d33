using System.Text.RegularExpressions;

namespace OpenHands.Api.RateLimits;

/// <summary>How much callers may ask for.</summary>
internal sealed partial class RateLimitOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "RateLimits";

    /// <summary>
    /// Whether callers are limited; null: where others than the person at this machine can call, that is with a login or with
    /// `Identity:AllowRemote`.
    /// </summary>
    public bool? Enabled { get; set; }

    /// <summary>
    /// Policies by name. A page of the front end asks about ten times within two seconds, so nobody who clicks comes near these;
    /// whoever shares an address with others is known by then, and counted as a user.
    /// </summary>
    public Dictionary<string, RateLimitPolicyOptions> Policies { get; } = new(StringComparer.Ordinal)
    {
        ["user"] = new() { By = LimitedBy.User, Limit = 1200 },
        ["api-key"] = new() { By = LimitedBy.ApiKey, Limit = 1200 },
        ["organization"] = new() { By = LimitedBy.Organization, Limit = 6000 },
        ["address"] = new() { By = LimitedBy.Address, Limit = 300 },
        ["login"] = new() { By = LimitedBy.Address, Routes = LimitedRoutes.Authentication, Limit = 100 },
    };

    /// <summary>What is wrong with the policies, for whoever configures them; null when nothing is.</summary>
    internal string? Problem => Policies.FirstOrDefault(policy => !Name().IsMatch(policy.Key) || !policy.Value.IsPossible) is { Key: { } name }
        ? $"RateLimits:Policies:{name} is not possible. Its name has small letters, digits and hyphens; Limit is 0 (off) or {RequestCost.Most} to 1000000; "
            + "Window is 00:00:01 to 1.00:00:00; Routes may be Authentication only with By Address."
        : null;

    // Part of a key in Redis and of a header.
    [GeneratedRegex("^[a-z0-9-]{1,40}$")]
    private static partial Regex Name();
}
