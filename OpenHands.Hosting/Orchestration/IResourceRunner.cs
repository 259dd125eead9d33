using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Brings one resource, or one replica of it, to life and keeps it there.</summary>
internal interface IResourceRunner : IAsyncDisposable
{
    /// <summary>The resource.</summary>
    IResource Resource { get; }

    /// <summary>The name of the replica.</summary>
    string ResourceId { get; }

    /// <summary>True when it is done once it has ended well.</summary>
    bool RunsToCompletion { get; }

    /// <summary>Runs until it is stopped, has completed, or has failed for good.</summary>
    Task RunAsync();

    /// <summary>Stops it; returns when nothing of it is left.</summary>
    Task StopAsync();
}
