using System.Diagnostics;
using Microsoft.Extensions.Options;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Worker.Queues;

/// <summary>Runs one leased task until its fate is recorded; nothing that a handler does gets past it.</summary>
internal sealed partial class TaskRunner(
    TaskHandlers handlers,
    TaskSettler settler,
    IServiceScopeFactory scopes,
    IOptions<WorkerOptions> options,
    WorkerMetrics metrics,
    QueueCounts counts,
    TimeProvider time,
    ILogger<TaskRunner> logger)
{
    // What a handler gets after its cancellation to end by itself.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Runs the task and records what became of it.</summary>
    /// <param name="leased">The task.</param>
    /// <param name="running">The same among those that run.</param>
    /// <param name="handled">Called when its handler has ended, before that is recorded.</param>
    public async Task RunAsync(LeasedTask leased, RunningTask running, Action handled)
    {
        var (task, started) = (leased.Task, time.GetTimestamp());
        var knows = handlers.Knows(task.Type);
        using var span = metrics.Start(leased);
        var fate = knows ? await HandleAsync(leased, running) : new TaskFate.GivenUp(TaskAdoption.UnknownType, CountsAttempt: false);
        handled();
        try
        {
            if (fate is not TaskFate.LeaseLost && !await settler.SettleAsync(fate.Settle(leased, task.Attempt - 1)))
                fate = new TaskFate.LeaseLost();
        }
        catch (OperationCanceledException)
        {
            LogNotRecorded(task.Type, task.Id, task.Queue, fate.Word);
            return;
        }

        var elapsed = time.GetElapsedTime(started);
        metrics.End(span, leased, knows ? task.Type : null, fate, elapsed);
        counts.Add(task.Queue, fate);
        Log(leased, fate, elapsed);
    }

    /// <summary>Gives back a task whose handler did not start.</summary>
    public async Task HandBackAsync(LeasedTask leased)
    {
        try
        {
            await settler.SettleAsync(new TaskFate.HandedBack().Settle(leased, leased.Task.Attempt - 1));
        }
        catch (OperationCanceledException)
        {
            LogNotRecorded(leased.Task.Type, leased.Task.Id, leased.Task.Queue, "handed_back");
        }
    }

    private async Task<TaskFate> HandleAsync(LeasedTask leased, RunningTask running)
    {
        if (running.Cause == StopCause.WorkerStops)
            return new TaskFate.HandedBack();
        try
        {
            return Translate(await CallAsync(leased.Task, running.Stopping));
        }
        catch (OperationCanceledException) when (running.Cause != StopCause.None)
        {
            return running.Cause switch
            {
                StopCause.CancelRequested => new TaskFate.Cancelled("It was called off while it ran."),
                StopCause.LeaseLost => new TaskFate.LeaseLost(),
                _ => new TaskFate.HandedBack(),
            };
        }
        catch (Exception failure)
        {
            return Fail(leased, failure);
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
                LogDeaf(task.Type, task.Id);
            stop.ThrowIfCancellationRequested();
            throw new TimeoutException($"The handler took longer than {options.Value.HandlerTimeout}.");
        }
    }

    private async Task<TaskOutcome> CallInScopeAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        if (task.UserId is { } user)
            scope.ServiceProvider.GetRequiredService<TenantContext>().Enter(user, task.OrganizationId);
        scope.ServiceProvider.GetRequiredService<TaskProgress>().Begin(task);
        var handler = TaskHandlers.Create(task.Type, scope.ServiceProvider);
        return await handler.HandleAsync(task, cancellationToken)
            ?? throw new InvalidOperationException($"The handler of {task.Type} returned no outcome.");
    }

    private static TaskFate Translate(TaskOutcome outcome) => outcome switch
    {
        TaskOutcome.Done(var result) => new TaskFate.Done(result?.ToJsonString()),
        TaskOutcome.Snooze(var delay) => new TaskFate.Snoozed(delay < TimeSpan.Zero ? TimeSpan.Zero : delay),
        TaskOutcome.Cancel(var reason) => new TaskFate.Cancelled(reason),
        _ => throw new UnreachableException(),
    };

    private TaskFate Fail(LeasedTask leased, Exception failure)
    {
        var (task, settings) = (leased.Task, options.Value);
        var most = leased.MaxAttempts ?? settings.MaxAttempts;
        // The type alone: a message may repeat what the task was about.
        var reason = $"Attempt {task.Attempt} of {most} failed: {failure.GetType().Name}.";
        if (task.Attempt >= most)
        {
            LogLastFailure(failure, task.Type, task.Id, task.Queue, task.Attempt);
            return new TaskFate.GivenUp(reason, CountsAttempt: true);
        }

        var delay = RetryDelay.Next(settings.RetryDelay, settings.MaxRetryDelay, task.Attempt);
        LogFailure(failure, task.Type, task.Id, task.Queue, task.Attempt, most, delay.TotalSeconds);
        return new TaskFate.Retried(delay, reason);
    }

    private void Log(LeasedTask leased, TaskFate fate, TimeSpan elapsed)
    {
        var task = leased.Task;
        switch (fate)
        {
            case TaskFate.LeaseLost:
                LogLeaseLost(task.Type, task.Id, task.Queue, task.LeaseNumber);
                break;
            case TaskFate.Cancelled(var reason):
                LogCancelled(task.Type, task.Id, task.Queue, reason);
                break;
            case TaskFate.GivenUp(var reason, _):
                LogGivenUp(task.Id, task.Queue, reason);
                break;
            case TaskFate.Snoozed:
                LogSnoozed(task.Type, task.Id, task.Queue, elapsed.TotalMilliseconds);
                break;
            default:
                LogFate(task.Type, task.Id, task.Queue, fate.Word, elapsed.TotalMilliseconds, task.Attempt);
                break;
        }
    }

    [LoggerMessage(LogLevel.Information, "Task {Type} {Id} of queue {Queue} {Fate} in {Milliseconds:0.0} ms (attempt {Attempt})")]
    private partial void LogFate(string type, string id, string queue, string fate, double milliseconds, int attempt);

    // It may do so every second.
    [LoggerMessage(LogLevel.Debug, "Task {Type} {Id} of queue {Queue} snoozed in {Milliseconds:0.0} ms")]
    private partial void LogSnoozed(string type, string id, string queue, double milliseconds);

    [LoggerMessage(LogLevel.Information, "Task {Type} {Id} of queue {Queue} is cancelled: {Reason}")]
    private partial void LogCancelled(string type, string id, string queue, string reason);

    [LoggerMessage(LogLevel.Warning, "Task {Id} of queue {Queue} is a dead letter: {Reason}")]
    private partial void LogGivenUp(string id, string queue, string reason);

    [LoggerMessage(LogLevel.Warning, "Task {Type} {Id} of queue {Queue} ended here under lease {LeaseNumber}, which had ended: nothing is recorded")]
    private partial void LogLeaseLost(string type, string id, string queue, long leaseNumber);

    [LoggerMessage(LogLevel.Warning, "Task {Type} {Id} of queue {Queue} is {Fate}, but the worker ends and PostgreSQL is away: it runs again elsewhere")]
    private partial void LogNotRecorded(string type, string id, string queue, string fate);

    [LoggerMessage(LogLevel.Warning, "Task {Type} {Id} of queue {Queue} failed in attempt {Attempt} of {MaxAttempts}, next in {Seconds:0.0} s")]
    private partial void LogFailure(Exception failure, string type, string id, string queue, int attempt, int maxAttempts, double seconds);

    [LoggerMessage(LogLevel.Error, "Task {Type} {Id} of queue {Queue} failed in its last attempt, the {Attempt}th")]
    private partial void LogLastFailure(Exception failure, string type, string id, string queue, int attempt);

    [LoggerMessage(LogLevel.Error, "The handler of task {Type} {Id} goes on although its token is cancelled: it may overlap with the next attempt")]
    private partial void LogDeaf(string type, string id);
}
