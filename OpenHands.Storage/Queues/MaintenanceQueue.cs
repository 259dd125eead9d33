namespace OpenHands.Storage.Queues;

/// <summary>Where the platform's own tasks wait.</summary>
public static class MaintenanceQueue
{
    /// <summary>Name of the queue.</summary>
    public const string Name = "maintenance";
}
