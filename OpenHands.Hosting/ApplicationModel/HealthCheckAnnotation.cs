namespace Aspire.Hosting.ApplicationModel;

/// <summary>A health check of a resource.</summary>
/// <param name="key">Its name, unique in the application.</param>
public sealed class HealthCheckAnnotation(string key) : IResourceAnnotation
{
    /// <summary>The check's name.</summary>
    public string Key { get; } = key;
}
