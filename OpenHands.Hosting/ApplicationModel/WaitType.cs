namespace Aspire.Hosting.ApplicationModel;

/// <summary>How far a resource must have got before those that wait for it start.</summary>
public enum WaitType
{
    /// <summary>It runs and all its health checks pass.</summary>
    WaitUntilHealthy,

    /// <summary>It ended with the expected exit code.</summary>
    WaitForCompletion,

    /// <summary>It runs.</summary>
    WaitUntilStarted,
}
