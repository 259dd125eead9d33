using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Processes;

namespace OpenHands.Hosting.Orchestration;

/// <summary>
/// Runs one process of a resource: waits for what it waits for, starts it, checks its health, and starts it again with
/// backoff when it ends although it should not.
/// </summary>
/// <param name="launch">What to start, and how to find it.</param>
/// <param name="notifications">Where to say what happens.</param>
/// <param name="healthLoop">Checks its health.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class ProcessRunner(
    ProcessLaunch launch, ResourceNotificationService notifications, HealthLoop healthLoop, TimeProvider timeProvider) : IResourceRunner
{
    private const int StartAttempts = 5;
    private readonly RestartBackoff _backoff = new(timeProvider);
    private readonly Lock _lock = new();
    private CancellationTokenSource _stopping = new();
    private Task? _running;
    private bool _ended;
    private int _unhealthyStarts;

    /// <inheritdoc/>
    public IResource Resource => launch.Resource;

    /// <inheritdoc/>
    public string ResourceId => launch.ResourceId;

    /// <inheritdoc/>
    public bool RunsToCompletion => launch.RunsToCompletion;

    /// <inheritdoc/>
    public Task RunAsync()
    {
        lock (_lock)
        {
            if (_ended || _running is { IsCompleted: false })
            {
                return _running ?? Task.CompletedTask;
            }

            if (_stopping.IsCancellationRequested)
            {
                _stopping.Dispose();
                _stopping = new CancellationTokenSource();
            }

            _unhealthyStarts = 0;
            return _running = Task.Run(RunGuardedAsync);
        }
    }

    /// <inheritdoc/>
    public async Task HaltAsync()
    {
        Task? running;
        lock (_lock)
        {
            running = _running;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        if (running is not null)
        {
            await running.ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        lock (_lock)
        {
            _ended = true;
        }

        await HaltAsync().ConfigureAwait(false);
        launch.Release();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task RunGuardedAsync()
    {
        try
        {
            await WaitAsync().ConfigureAwait(false);
            while (await RunOnceAsync().ConfigureAwait(false) is { } delay)
            {
                await Task.Delay(delay, timeProvider, _stopping.Token).ConfigureAwait(false);
                await PublishAsync(snapshot => snapshot with { Restarts = snapshot.Restarts + 1 }).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            await PublishAsync(snapshot => snapshot.State?.Text is { } state && KnownResourceStates.TerminalStates.Contains(state)
                ? snapshot
                : snapshot with { State = KnownResourceStates.Exited, StopTimeStamp = Now() }).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever stops a resource from starting is told to the user and ends only this resource.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            // Those two carry messages for the user; anything else is named, so that it can be reported.
            var failure = exception is DistributedApplicationException or InvalidOperationException ? exception.Message : $"{exception.GetType().Name}: {exception.Message}";
            await FailAsync(failure).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync()
    {
        if (Resource.Annotations.OfType<WaitAnnotation>().Any())
        {
            await PublishAsync(snapshot => snapshot with { State = KnownResourceStates.Waiting }).ConfigureAwait(false);
            await notifications.WaitForDependenciesAsync(Resource, _stopping.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the process once; returns how long to wait before the next time, or null when it is over.</summary>
    private async Task<TimeSpan?> RunOnceAsync()
    {
        await PublishAsync(snapshot => snapshot with { State = KnownResourceStates.Starting, HealthReports = PendingReports() }).ConfigureAwait(false);
        await using var process = await launch.StartAsync(_stopping.Token).ConfigureAwait(false);
        _backoff.Started();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var health = await FollowAsync(process, ended.Token).ConfigureAwait(false);

        await Task.WhenAny(process.Exited, Task.Delay(Timeout.InfiniteTimeSpan, timeProvider, ended.Token)).ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await health.ConfigureAwait(false);
        launch.Traffic(null);
        if (_stopping.IsCancellationRequested && !process.Exited.IsCompleted)
        {
            await PublishAsync(snapshot => snapshot with { State = KnownResourceStates.Stopping }).ConfigureAwait(false);
            await (_ended ? process.StopAsync() : process.HaltAsync()).ConfigureAwait(false);
        }

        return await EndedAsync(await process.Exited.ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task<Task> FollowAsync(GuardedProcess process, CancellationToken ended)
    {
        await Task.WhenAny(process.ProcessId, process.Exited).ConfigureAwait(false);
        await PublishAsync(snapshot => snapshot with
        {
            State = KnownResourceStates.Running,
            ProcessId = process.ProcessId.IsCompletedSuccessfully ? process.ProcessId.Result : null,
            ExitCode = null,
            Failure = null,
            StartTimeStamp = Now(),
            StopTimeStamp = null,
        }).ConfigureAwait(false);
        launch.Traffic(false);
        return healthLoop.RunAsync(Resource, ResourceId, launch.TargetPort, HealthChanged, ended);
    }

    private void HealthChanged(bool healthy)
    {
        launch.Traffic(healthy);
        if (healthy)
        {
            _unhealthyStarts = 0;
        }
    }

    private async Task<TimeSpan?> EndedAsync(int exitCode)
    {
        var done = RunsToCompletion && exitCode == 0;
        await PublishAsync(snapshot => snapshot with
        {
            State = done ? KnownResourceStates.Finished : KnownResourceStates.Exited,
            ExitCode = exitCode,
            ProcessId = null,
            StopTimeStamp = Now(),
        }).ConfigureAwait(false);
        if (_stopping.IsCancellationRequested || done)
        {
            return null;
        }

        if (RunsToCompletion || ++_unhealthyStarts >= StartAttempts)
        {
            await FailAsync($"ended with exit code {exitCode}{(RunsToCompletion ? "" : $", {StartAttempts} times in a row")}. Its last lines:\n{launch.LastLines()}").ConfigureAwait(false);
            return null;
        }

        return _backoff.Ended();
    }

    private Task FailAsync(string failure) => PublishAsync(snapshot => snapshot with
    {
        State = RunsToCompletion && snapshot.ExitCode is not null ? KnownResourceStates.Exited : KnownResourceStates.FailedToStart,
        Failure = failure,
        StopTimeStamp = Now(),
    });

    private System.Collections.Immutable.ImmutableArray<HealthReportSnapshot> PendingReports() =>
        [.. Resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => new HealthReportSnapshot(check.Key, null, "Not checked yet.", null))];

    private DateTime Now() => timeProvider.GetUtcNow().UtcDateTime;

    private Task PublishAsync(Func<CustomResourceSnapshot, CustomResourceSnapshot> change) =>
        notifications.PublishUpdateAsync(Resource, ResourceId, change);
}
