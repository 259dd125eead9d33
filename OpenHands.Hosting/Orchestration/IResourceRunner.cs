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

    /// <summary>Runs until it is halted or stopped, has completed, or has failed for good; nothing more when it runs already.</summary>
    Task RunAsync();

    /// <summary>Ends what runs, and keeps its data, so that it can run again.</summary>
    Task HaltAsync();

    /// <summary>Stops it for good; returns when nothing of it is left.</summary>
    Task StopAsync();
}
