using System.Globalization;
using System.Text;
using OpenHands.Storage.RateLimits;

namespace OpenHands.Api.RateLimits;

/// <summary>Tells a client its limits, as draft-ietf-httpapi-ratelimit-headers-10 has it: two lists of structured fields (RFC 9651), and Retry-After.</summary>
internal static class RateLimitHeaders
{
    /// <summary>Name of the header with the policies.</summary>
    public const string Policy = "RateLimit-Policy";

    /// <summary>Name of the header with what is left.</summary>
    public const string Limit = "RateLimit";

    /// <summary>Writes them. A policy that only watches is not told.</summary>
    public static void Write(IHeaderDictionary headers, RateLimitDecision decision)
    {
        var (policies, limits) = (new StringBuilder(), new StringBuilder());
        foreach (var state in decision.States)
        {
            var policy = state.Policy;
            if (policy.IsShadow)
                continue;
            var separator = policies.Length == 0 ? "" : ", ";
            policies.Append(CultureInfo.InvariantCulture, $"{separator}\"{policy.Name}\";q={policy.Limit};w={Seconds(policy.Window)}");
            limits.Append(CultureInfo.InvariantCulture, $"{separator}\"{policy.Name}\";r={state.Remaining};t={Seconds(state.Reset)}");
        }

        if (policies.Length == 0)
            return;
        headers[Policy] = policies.ToString();
        headers[Limit] = limits.ToString();
        if (!decision.IsAllowed)
            headers.RetryAfter = Seconds(decision.RetryAfter).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Whole seconds, rounded up: who waits that long has waited long enough.</summary>
    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
