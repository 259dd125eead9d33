namespace OpenHands.Storage.Caching;

/// <summary>What a cache knows without asking anybody: nothing, that there is none, or the value.</summary>
/// <param name="IsKnown">Whether it knows anything.</param>
/// <param name="Value">The value; null when there is none, or nothing is known.</param>
public readonly record struct Cached<T>(bool IsKnown, T? Value)
    where T : class;
