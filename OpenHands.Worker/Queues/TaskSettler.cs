using System.Threading.Channels;
using OpenHands.Storage.Queues;
using OpenTelemetry;

namespace OpenHands.Worker.Queues;

/// <summary>Records fates: all that have come together while the last statement ran, in one. Tries again while PostgreSQL is away.</summary>
internal sealed partial class TaskSettler(TaskLeases leases, TimeProvider time, ILogger<TaskSettler> logger) : IDisposable
{
    private const int MostAtOnce = 500;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>();
    private readonly CancellationTokenSource _giveUp = new();
    private Task? _settling;
    private bool _away;

    /// <summary>True while more fates wait to be recorded than a statement or two can take.</summary>
    public bool IsBehind => _pending.Reader.Count > MostAtOnce;

    /// <summary>Records a fate.</summary>
    /// <returns>False when the lease had ended: nothing was recorded.</returns>
    /// <exception cref="OperationCanceledException">The worker ended first.</exception>
    public Task<bool> SettleAsync(Settlement settlement)
    {
        var pending = new Pending(settlement, new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously));
        return _pending.Writer.TryWrite(pending) ? pending.Recorded.Task : Task.FromCanceled<bool>(new CancellationToken(true));
    }

    /// <summary>Begins to record.</summary>
    public void Start() => _settling = Task.Run(SettleAllAsync);

    /// <summary>Gives up what is not recorded.</summary>
    public async Task StopAsync()
    {
        _pending.Writer.TryComplete();
        await _giveUp.CancelAsync();
        await (_settling ?? Task.CompletedTask);
    }

    /// <inheritdoc />
    public void Dispose() => _giveUp.Dispose();

    private async Task SettleAllAsync()
    {
        var batch = new List<Pending>();
        try
        {
            while (await _pending.Reader.WaitToReadAsync(_giveUp.Token))
            {
                batch.Clear();
                while (batch.Count < MostAtOnce && _pending.Reader.TryRead(out var pending))
                    batch.Add(pending);
                await SettleAsync(batch);
            }
        }
        catch (OperationCanceledException)
        {
            foreach (var pending in batch)
                pending.Recorded.TrySetCanceled();
            while (_pending.Reader.TryRead(out var pending))
                pending.Recorded.TrySetCanceled();
        }
    }

    private async Task SettleAsync(List<Pending> batch)
    {
        using var quiet = SuppressInstrumentationScope.Begin(); // of many tasks at once: it belongs to none of their traces
        while (true)
        {
            try
            {
                var recorded = (await leases.SettleAsync([.. batch.Select(pending => pending.Settlement)], _giveUp.Token)).ToHashSet();
                if (_away)
                    LogBack();
                _away = false;
                foreach (var pending in batch)
                    pending.Recorded.TrySetResult(recorded.Contains(pending.Settlement.Id));
                return;
            }
            catch (Npgsql.PostgresException refused) when (refused.SqlState.StartsWith("22", StringComparison.Ordinal) && batch.Count > 1)
            {
                // A result that cannot be stored must not hold up the others.
                foreach (var pending in batch)
                    await SettleAsync([pending]);
                return;
            }
            catch (Npgsql.PostgresException refused) when (refused.SqlState.StartsWith("22", StringComparison.Ordinal))
            {
                LogNotStorable(batch[0].Settlement.Id, refused.SqlState);
                batch[0] = batch[0] with { Settlement = batch[0].Settlement with { Result = null, Reason = "Its result or reason could not be stored." } };
            }
            catch (Exception failure) when (PostgresAbsence.Explains(failure))
            {
                if (!_away)
                    LogAway(failure.Message);
                _away = true;
                await Task.Delay(Pause, time, _giveUp.Token);
            }
        }
    }

    private sealed record Pending(Settlement Settlement, TaskCompletionSource<bool> Recorded);

    [LoggerMessage(LogLevel.Warning, "Outcomes of tasks cannot be recorded now and are kept until they can be: {Reason}")]
    private partial void LogAway(string reason);

    [LoggerMessage(LogLevel.Information, "Outcomes of tasks are recorded again")]
    private partial void LogBack();

    [LoggerMessage(LogLevel.Warning, "The result of task {Task} cannot be stored ({SqlState}); the task is recorded without it")]
    private partial void LogNotStorable(string task, string sqlState);
}
