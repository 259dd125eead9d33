namespace OpenHands.Api.RateLimits;

/// <summary>Whom a policy counts together.</summary>
internal enum LimitedBy
{
    /// <summary>Requests from one address by callers who are not known; of IPv6, from one network of 64 bits.</summary>
    Address,

    /// <summary>Requests of one user, whatever they come with.</summary>
    User,

    /// <summary>Requests with the keys of one organization.</summary>
    Organization,

    /// <summary>Requests with one API key.</summary>
    ApiKey,
}
