namespace Aspire.Hosting;

/// <summary>What an AppHost was started for.</summary>
/// <param name="operation">Run or publish.</param>
/// <param name="publisherName">The publisher; <c>manifest</c> unless said otherwise.</param>
public sealed class DistributedApplicationExecutionContext(DistributedApplicationOperation operation, string publisherName)
{
    /// <inheritdoc cref="DistributedApplicationExecutionContext"/>
    public DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
        : this(operation, "manifest")
    {
    }

    /// <summary>Run or publish.</summary>
    public DistributedApplicationOperation Operation { get; } = operation;

    /// <summary>The publisher.</summary>
    public string PublisherName { get; } = publisherName;

    /// <summary>True when the application runs.</summary>
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;

    /// <summary>True when the application is published.</summary>
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;
}
