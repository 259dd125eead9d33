using System.ComponentModel.DataAnnotations;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>How this worker drains queues.</summary>
internal sealed class WorkerOptions
{
    /// <summary>Section of the configuration.</summary>
    public const string Section = "Worker";

    /// <summary>Queues to drain, as <see cref="QueueFilter"/> reads them: names and patterns, separated by commas. Null or empty means every queue.</summary>
    public string? Queues { get; set; }

    /// <summary>Tasks that run at the same time.</summary>
    [Range(1, 256)]
    public int Concurrency { get; set; } = 8;

    /// <summary>Time that one attempt of a handler may take; then it is cancelled and counts as failed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan HandlerTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Time that running tasks get to finish when the worker stops; then they are handed back.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>How long a heartbeat counts. Tasks of a lost host run elsewhere after this time; it must be the same for all workers.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Failed attempts after which a task is given up, unless it says otherwise itself.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 5;

    /// <summary>Leases in a row that ended with the loss of their worker, after which a task is given up.</summary>
    [Range(1, 100)]
    public int MaxLosses { get; set; } = 5;

    /// <summary>Upper end of the random delay after the first failed attempt; it doubles with each further one.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest delay between two attempts.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(5);
}
