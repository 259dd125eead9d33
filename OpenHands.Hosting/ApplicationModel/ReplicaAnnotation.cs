namespace Aspire.Hosting.ApplicationModel;

/// <summary>How many processes a resource runs as.</summary>
/// <param name="replicas">At least 0.</param>
public sealed class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    /// <summary>The number of processes.</summary>
    public int Replicas { get; } = replicas >= 0
        ? replicas
        : throw new ArgumentOutOfRangeException(nameof(replicas), replicas, "The number of replicas must not be negative.");
}
