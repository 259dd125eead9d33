namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a wait does when the resource waited for ends or fails to start.</summary>
public enum WaitBehavior
{
    /// <summary>It goes on waiting; the resource may be started again.</summary>
    WaitOnResourceUnavailable = 0,

    /// <summary>It gives up.</summary>
    StopOnResourceUnavailable = 1,
}
