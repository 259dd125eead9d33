namespace OpenHands.Storage.RateLimits;

/// <summary>Where a caller stands under one policy.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Allows">Whether it allows the request.</param>
/// <param name="Remaining">What is left after the request.</param>
/// <param name="Reset">When more is left, if nothing else comes; zero when everything is.</param>
/// <param name="RetryAfter">When it would allow the request, if nothing else comes; zero when it does.</param>
public sealed record RateLimitState(RateLimitPolicy Policy, bool Allows, int Remaining, TimeSpan Reset, TimeSpan RetryAfter);
