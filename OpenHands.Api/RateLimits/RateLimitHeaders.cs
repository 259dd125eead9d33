using System.Globalization;
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
        var told = decision.States.Where(state => !state.Policy.IsShadow).ToList();
        if (told.Count == 0)
            return;
        headers[Policy] = string.Join(", ", told.Select(state => string.Create(
            CultureInfo.InvariantCulture, $"\"{state.Policy.Name}\";q={state.Policy.Limit};w={Seconds(state.Policy.Window)}")));
        headers[Limit] = string.Join(", ", told.Select(state => string.Create(
            CultureInfo.InvariantCulture, $"\"{state.Policy.Name}\";r={state.Remaining};t={Seconds(state.Reset)}")));
        if (!decision.IsAllowed)
            headers.RetryAfter = Seconds(decision.RetryAfter).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Whole seconds, rounded up: who waits that long has waited long enough.</summary>
    public static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
