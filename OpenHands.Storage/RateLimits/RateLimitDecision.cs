namespace OpenHands.Storage.RateLimits;

/// <summary>Whether a request may go on.</summary>
/// <param name="IsAllowed">Whether every policy that is enforced allows it.</param>
/// <param name="IsDegraded">Whether Redis was not there and this process decided alone.</param>
/// <param name="States">Where the caller stands under each policy, in the order in which they were named.</param>
public sealed record RateLimitDecision(bool IsAllowed, bool IsDegraded, IReadOnlyList<RateLimitState> States)
{
    /// <summary>The policies that refuse the request.</summary>
    public IEnumerable<RateLimitState> Violated => States.Where(state => !state.Allows && !state.Policy.IsShadow);

    /// <summary>When all policies would allow the request, if nothing else comes; zero when they do.</summary>
    public TimeSpan RetryAfter => Violated.Select(state => state.RetryAfter).DefaultIfEmpty().Max();
}
