using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;

namespace OpenHands.Worker.Queues;

/// <summary>Runs one taken task from reading to its fate; nothing that a value or a handler does gets past it.</summary>
internal sealed partial class TaskRunner(
    TaskHandlers handlers,
    TaskSettlement settlement,
    IServiceScopeFactory scopes,
    IOptions<WorkerOptions> options,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<TaskRunner> logger)
{
    // What a handler gets after its cancellation to end by itself.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Runs the task and records what became of it.</summary>
    /// <param name="taken">The task.</param>
    /// <param name="stop">The worker cannot wait any longer: the task is handed back.</param>
    /// <param name="giveUp">The worker ends now, recorded or not.</param>
    public async Task RunAsync(TakenTask taken, CancellationToken stop, CancellationToken giveUp)
    {
        var started = time.GetTimestamp();
        using var span = metrics.Take(taken);
        var readable = QueuedTaskReader.TryRead(taken, out var task, out var defect);
        var type = task is not null && handlers.Knows(task.Type) ? task.Type : null;

        var fate = Condemn(taken, readable ? null : defect, type) ?? await HandleAsync(taken, task!, stop);
        await settlement.SettleAsync(taken, fate, giveUp);

        var elapsed = time.GetElapsedTime(started);
        metrics.Settle(span, taken, type, fate, elapsed);
        if (fate is not TaskFate.SetAside)
            LogFate(type ?? "", taken.Delivery, taken.Queue, fate.Word, elapsed.TotalMilliseconds, taken.Attempts + 1);
    }

    /// <summary>Why the task must not run; null when it may.</summary>
    private TaskFate.SetAside? Condemn(TakenTask taken, string? defect, string? type)
    {
        var reason = taken.Reason
            ?? defect
            ?? (taken.Lost >= options.Value.MaxDeliveries ? $"Its worker went away {taken.Lost} times while it ran." : null)
            ?? (type is null ? "There is no handler for its type." : null);
        return reason is null ? null : new TaskFate.SetAside(reason);
    }

    private async Task<TaskFate> HandleAsync(TakenTask taken, QueuedTask task, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
            return new TaskFate.HandedBack();
        try
        {
            return Translate(taken, await CallAsync(task, stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return new TaskFate.HandedBack();
        }
        catch (Exception failure)
        {
            return Fail(taken, task, failure);
        }
    }

    private async Task<TaskOutcome> CallAsync(QueuedTask task, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(options.Value.HandlerTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        var token = either.Token;

        // On a thread of its own until its first await: a handler that blocks must not hold up the queues.
        var handling = Task.Run(() => CallInScopeAsync(task, token), CancellationToken.None);
        try
        {
            return await handling.WaitAsync(token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            await Task.WhenAny(handling, Task.Delay(Grace, time, CancellationToken.None));
            if (handling.IsCompletedSuccessfully)
                return await handling;
            if (!handling.IsCompleted)
                LogDeaf(task.Type, task.Delivery);
            stop.ThrowIfCancellationRequested();
            throw new TimeoutException($"The handler took longer than {options.Value.HandlerTimeout}.");
        }
    }

    private async Task<TaskOutcome> CallInScopeAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var handler = TaskHandlers.Create(task.Type, scope.ServiceProvider);
        return await handler.HandleAsync(task, cancellationToken)
            ?? throw new InvalidOperationException($"The handler of {task.Type} returned no outcome.");
    }

    private TaskFate Translate(TakenTask taken, TaskOutcome outcome)
    {
        switch (outcome)
        {
            case TaskOutcome.Snooze(var delay):
                return new TaskFate.Snoozed(delay < TimeSpan.Zero ? TimeSpan.Zero : delay);
            case TaskOutcome.Cancel(var reason):
                LogCancel(taken.Delivery, taken.Queue, reason);
                return new TaskFate.Cancelled();
            default:
                return new TaskFate.Done();
        }
    }

    private TaskFate Fail(TakenTask taken, QueuedTask task, Exception failure)
    {
        var settings = options.Value;
        if (task.Attempt >= settings.MaxAttempts)
        {
            LogLastFailure(failure, task.Type, taken.Delivery, taken.Queue, task.Attempt);
            return new TaskFate.SetAside($"Attempt {task.Attempt} of {settings.MaxAttempts} failed: {failure.GetType().Name}.");
        }

        var delay = RetryDelay.Next(settings.RetryDelay, settings.MaxRetryDelay, task.Attempt);
        LogFailure(failure, task.Type, taken.Delivery, taken.Queue, task.Attempt, settings.MaxAttempts, delay.TotalSeconds);
        return new TaskFate.Retried(delay);
    }

    [LoggerMessage(LogLevel.Information, "Task {Type} {Delivery} of queue {Queue} {Fate} in {Milliseconds:0.0} ms (attempt {Attempt})")]
    private partial void LogFate(string type, string delivery, string queue, string fate, double milliseconds, int attempt);

    [LoggerMessage(LogLevel.Information, "Task {Delivery} of queue {Queue} is dropped by its handler: {Reason}")]
    private partial void LogCancel(string delivery, string queue, string reason);

    [LoggerMessage(LogLevel.Warning, "Task {Type} {Delivery} of queue {Queue} failed in attempt {Attempt} of {MaxAttempts}, next in {Seconds:0.0} s")]
    private partial void LogFailure(Exception failure, string type, string delivery, string queue, int attempt, int maxAttempts, double seconds);

    [LoggerMessage(LogLevel.Error, "Task {Type} {Delivery} of queue {Queue} failed in its last attempt, the {Attempt}th")]
    private partial void LogLastFailure(Exception failure, string type, string delivery, string queue, int attempt);

    [LoggerMessage(LogLevel.Error, "The handler of task {Type} {Delivery} goes on although its token is cancelled: it may overlap with the next attempt")]
    private partial void LogDeaf(string type, string delivery);
}
