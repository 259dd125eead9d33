namespace OpenHands.Storage.Caching;

/// <summary>A value as PostgreSQL has it.</summary>
/// <param name="Version">Version of the row, 1 or more; it grows with every change.</param>
/// <param name="Value">The value.</param>
public readonly record struct Versioned<T>(long Version, T Value)
    where T : class;
