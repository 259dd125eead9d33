using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint of a resource: where others reach it, and where it listens itself.</summary>
/// <param name="protocol">TCP or UDP.</param>
/// <param name="uriScheme">The scheme of its URL, such as http or tcp.</param>
/// <param name="transport">http, http2 or tcp; null derives it from the scheme.</param>
/// <param name="name">Its name; null takes the scheme.</param>
/// <param name="port">The port others use; null takes a free one.</param>
/// <param name="targetPort">The port the resource listens on; null takes a free one.</param>
/// <param name="isExternal">True when it is meant for callers outside the application.</param>
/// <param name="isProxied">True when the host listens on <paramref name="port"/> and passes connections on.</param>
public sealed class EndpointAnnotation(
    ProtocolType protocol, string? uriScheme = null, string? transport = null, string? name = null,
    int? port = null, int? targetPort = null, bool? isExternal = null, bool isProxied = true) : IResourceAnnotation
{
    private readonly TaskCompletionSource<AllocatedEndpoint> _allocated = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>TCP or UDP.</summary>
    public ProtocolType Protocol { get; set; } = protocol;

    /// <summary>The scheme of its URL.</summary>
    public string UriScheme { get; set; } = uriScheme ?? "tcp";

    /// <summary>The transport: http, http2 or tcp.</summary>
    public string Transport { get; set; } = transport ?? (uriScheme is "http" or "https" ? "http" : "tcp");

    /// <summary>The name, unique for the resource.</summary>
    public string Name { get; set; } = name ?? uriScheme ?? "tcp";

    /// <summary>The port others use, when one was asked for.</summary>
    public int? Port { get; set; } = port;

    /// <summary>The port the resource listens on, when one was asked for.</summary>
    public int? TargetPort { get; set; } = targetPort;

    /// <summary>The host name others use.</summary>
    public string TargetHost { get; set; } = "localhost";

    /// <summary>True when it is meant for callers outside the application.</summary>
    public bool IsExternal { get; set; } = isExternal ?? false;

    /// <summary>True when the host listens on the port and passes connections on.</summary>
    public bool IsProxied { get; set; } = isProxied;

    /// <summary>The address that was allocated when the application started; null before.</summary>
    public AllocatedEndpoint? AllocatedEndpoint
    {
        get => _allocated.Task.IsCompletedSuccessfully ? _allocated.Task.Result : null;
        set => _allocated.TrySetResult(value ?? throw new ArgumentNullException(nameof(value)));
    }

    internal bool TlsEnabled => string.Equals(UriScheme, "https", StringComparison.OrdinalIgnoreCase);

    internal Task<AllocatedEndpoint> Allocation => _allocated.Task;
}
