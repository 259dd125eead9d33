namespace Aspire.Hosting.ApplicationModel;

/// <summary>How an HTTP health check asks.</summary>
/// <param name="Endpoint">Whom.</param>
/// <param name="Path">Which path.</param>
/// <param name="StatusCode">The status that counts as healthy.</param>
internal sealed record HttpHealthCheckAnnotation(EndpointReference Endpoint, string Path, int StatusCode) : IResourceAnnotation;
