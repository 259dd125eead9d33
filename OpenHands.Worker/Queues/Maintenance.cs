namespace OpenHands.Worker.Queues;

/// <summary>Where the platform's own tasks wait.</summary>
internal static class Maintenance
{
    /// <summary>Name of the queue.</summary>
    public const string Queue = "maintenance";
}
