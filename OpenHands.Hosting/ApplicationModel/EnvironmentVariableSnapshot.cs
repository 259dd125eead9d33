namespace Aspire.Hosting.ApplicationModel;

/// <summary>An environment variable of a running resource.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value, secrets included: mask it before it is shown.</param>
/// <param name="IsFromSpec">True when the application's description says so, false when it was inherited.</param>
public sealed record EnvironmentVariableSnapshot(string Name, string? Value, bool IsFromSpec);
