using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Orchestration;

/// <summary>What a runner starts.</summary>
internal sealed record ProcessLaunch
{
    /// <summary>The resource.</summary>
    public required IResource Resource { get; init; }

    /// <summary>The name of the replica.</summary>
    public required string ResourceId { get; init; }

    /// <summary>True when it is done once it has ended well.</summary>
    public bool RunsToCompletion { get; init; }

    /// <summary>Prepares and starts the process.</summary>
    public required Func<CancellationToken, Task<GuardedProcess>> StartAsync { get; init; }

    /// <summary>The replica's own port for an endpoint; null when it listens on the endpoint's port itself.</summary>
    public Func<EndpointAnnotation, int>? TargetPort { get; init; }

    /// <summary>Told whether connections may be passed on to it: it runs and is healthy or not; null when it does not run.</summary>
    public Action<bool?> Traffic { get; init; } = static _ => { };

    /// <summary>Lets go of what is held between two processes of the resource, such as its data directory.</summary>
    public Action Release { get; init; } = static () => { };

    /// <summary>What it wrote last, for an error message.</summary>
    public required Func<string> LastLines { get; init; }
}
