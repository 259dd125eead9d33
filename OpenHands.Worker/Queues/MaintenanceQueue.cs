namespace OpenHands.Worker.Queues;

/// <summary>Where the platform's own tasks wait.</summary>
internal static class MaintenanceQueue
{
    /// <summary>Name of the queue.</summary>
    public const string Name = "maintenance";
}
