using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Who this worker is: another one with every start, since what an earlier process had is not its own.</summary>
internal sealed class WorkerIdentity(IOptions<WorkerOptions> options)
{
    /// <summary>A UUIDv7 as 32 hex digits.</summary>
    public string Id { get; } = Guid.CreateVersion7().ToString("N");

    /// <summary>Second half of the advisory lock that says that it lives.</summary>
    public int LockKey { get; } = RandomNumberGenerator.GetInt32(int.MaxValue);

    /// <summary>Name of its sessions in PostgreSQL: whoever finds it gone ends them by it.</summary>
    public string SessionName => SessionNameOf(Id);

    /// <summary>As it enters itself.</summary>
    public RegisteredWorker Entry => new(
        Id, Environment.MachineName, Environment.ProcessId, options.Value.Concurrency, options.Value.Queues is { Length: > 0 } queues ? queues : "*", LockKey);

    /// <summary>Name of the sessions of another worker.</summary>
    public static string SessionNameOf(string worker) => "openhands worker " + worker;
}
