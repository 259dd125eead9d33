namespace OpenHands.Storage.RateLimits;

/// <summary>A caller under one policy.</summary>
/// <param name="Policy">The policy.</param>
/// <param name="Id">Who it is: id of a user, a key or an organization, or an address.</param>
public readonly record struct LimitedCaller(RateLimitPolicy Policy, string Id);
