namespace OpenHands.Worker.Queues;

/// <summary>Exponential backoff with full jitter: a random time between zero and a bound that doubles with every attempt.</summary>
/// <remarks>https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/</remarks>
internal static class RetryDelay
{
    /// <summary>Upper end of the delay.</summary>
    /// <param name="first">Bound after the first failed attempt.</param>
    /// <param name="longest">Bound that is never exceeded.</param>
    /// <param name="failedAttempts">Attempts that failed so far, from 1.</param>
    public static TimeSpan Bound(TimeSpan first, TimeSpan longest, int failedAttempts)
    {
        var bound = first.Ticks * Math.Pow(2, failedAttempts - 1);
        return bound < longest.Ticks ? TimeSpan.FromTicks((long)bound) : longest;
    }

    /// <summary>The delay before the next attempt.</summary>
    public static TimeSpan Next(TimeSpan first, TimeSpan longest, int failedAttempts) =>
        Bound(first, longest, failedAttempts) * Random.Shared.NextDouble();
}
