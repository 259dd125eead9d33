namespace Aspire.Hosting;

/// <summary>What an AppHost was started for.</summary>
public enum DistributedApplicationOperation
{
    /// <summary>To run the application.</summary>
    Run = 0,

    /// <summary>To write what others deploy.</summary>
    Publish = 1,
}
