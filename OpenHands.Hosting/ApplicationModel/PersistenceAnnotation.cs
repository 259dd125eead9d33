namespace Aspire.Hosting.ApplicationModel;

/// <summary>When Redis writes a snapshot.</summary>
/// <param name="interval">At most this often.</param>
/// <param name="keysChangedThreshold">After this many changes.</param>
internal sealed class PersistenceAnnotation(TimeSpan? interval, long keysChangedThreshold) : IResourceAnnotation
{
    public TimeSpan Interval { get; } = interval ?? TimeSpan.FromSeconds(60);

    public long KeysChangedThreshold { get; } = keysChangedThreshold;
}
