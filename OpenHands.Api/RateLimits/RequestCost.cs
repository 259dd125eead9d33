namespace OpenHands.Api.RateLimits;

/// <summary>What a request to a route costs; 1 where a route does not say it.</summary>
/// <param name="Cost">1 to <see cref="Most"/>.</param>
internal sealed record RequestCost(int Cost)
{
    /// <summary>No request costs more, so that every limit lets every request through.</summary>
    public const int Most = 10;
}

/// <summary>Says what a request to a route costs.</summary>
internal static class RequestCostExtensions
{
    /// <summary>For what is dearer than a read: it makes rows that stay, or calls others.</summary>
    public static TBuilder Costs<TBuilder>(this TBuilder route, int cost)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cost, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cost, RequestCost.Most);
        return route.WithMetadata(new RequestCost(cost));
    }
}
