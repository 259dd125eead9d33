using Microsoft.Extensions.Options;
using Npgsql;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Puts dead letters into PostgreSQL; while it is away one attempt at a time is made, and nothing else waits for it.</summary>
internal sealed partial class DeadLetters(
    DeadLetterStore store, IOptions<WorkerOptions> options, TimeProvider time, ILogger<DeadLetters> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private long? _awaySince;
    private bool _probing;

    /// <summary>Stores the value with the reason; false when it has to stay in Redis for now.</summary>
    public async Task<bool> TryAddAsync(TakenTask task, string reason)
    {
        if (!MayTry())
            return false;

        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            await store.AddAsync(task, reason, patience.Token).WaitAsync(patience.Token);
            if (Came())
                LogBack();
            LogSetAside(task.Delivery, task.Queue, reason);
            return true;
        }
        catch (PostgresException refused) when (!DatabaseAvailability.IsUnavailable(refused))
        {
            // About this one value: the others may pass.
            _ = Came();
            LogRefused(task.Delivery, task.Queue, refused.SqlState);
        }
        catch (Exception away) when (away is NpgsqlException or OperationCanceledException or TimeoutException || DatabaseAvailability.IsUnavailable(away))
        {
            if (Went())
                LogAway(away.GetType().Name, options.Value.DeadLetterRetryDelay);
        }

        return false;
    }

    private bool MayTry()
    {
        lock (_lock)
        {
            if (_awaySince is not { } since)
                return true;
            if (_probing || time.GetElapsedTime(since) < options.Value.DeadLetterRetryDelay)
                return false;
            return _probing = true;
        }
    }

    private bool Came()
    {
        lock (_lock)
        {
            var wasAway = _awaySince is not null;
            (_awaySince, _probing) = (null, false);
            return wasAway;
        }
    }

    private bool Went()
    {
        lock (_lock)
        {
            var isNews = _awaySince is null;
            (_awaySince, _probing) = (time.GetTimestamp(), false);
            return isNews;
        }
    }

    [LoggerMessage(LogLevel.Warning, "Set aside {Delivery} from queue {Queue}: {Reason}")]
    private partial void LogSetAside(string delivery, string queue, string reason);

    [LoggerMessage(LogLevel.Warning, "Dead letters cannot be stored ({Failure}); they stay in Redis, next attempt in {Delay}")]
    private partial void LogAway(string failure, TimeSpan delay);

    [LoggerMessage(LogLevel.Information, "Dead letters are stored again")]
    private partial void LogBack();

    [LoggerMessage(LogLevel.Error, "PostgreSQL refused the dead letter {Delivery} from queue {Queue} (SQLSTATE {SqlState}); it stays in Redis")]
    private partial void LogRefused(string delivery, string queue, string sqlState);
}
