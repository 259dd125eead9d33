namespace OpenHands.Api.RateLimits;

/// <summary>Which requests a policy counts.</summary>
internal enum LimitedRoutes
{
    /// <summary>All but probes, files of the front end and those below.</summary>
    Ordinary,

    /// <summary>Those of a login, below /auth. Without Redis they are closed.</summary>
    Authentication,
}
