using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OpenHands.Tests.Hosting.ApplicationModel;

public sealed class ResourceNotificationServiceTests
{
    private readonly ResourceNotificationService _notifications = new();
    private readonly ProjectResource _api = new("api");
    private readonly ProjectResource _migrations = new("migrations");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_state_that_is_reached_already_is_not_waited_for()
    {
        await PublishAsync(_api, KnownResourceStates.Running);
        Assert.True(_notifications.WaitForResourceAsync("API", cancellationToken: Token).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_wait_ends_with_the_state_it_waits_for()
    {
        var wait = _notifications.WaitForResourceAsync("api", [KnownResourceStates.Running, KnownResourceStates.Finished], Token);
        await PublishAsync(_migrations, KnownResourceStates.Running);
        await PublishAsync(_api, KnownResourceStates.Starting);
        Assert.False(wait.IsCompleted);
        await PublishAsync(_api, KnownResourceStates.Finished);
        Assert.Equal(KnownResourceStates.Finished, await wait);
    }

    [Fact]
    public async Task A_wait_can_be_given_up()
    {
        using var source = new CancellationTokenSource();
        var wait = _notifications.WaitForResourceAsync("api", cancellationToken: source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }

    [Fact]
    public async Task A_resource_without_checks_is_healthy_once_it_runs()
    {
        await PublishAsync(_api, KnownResourceStates.Running);
        var change = await _notifications.WaitForResourceHealthyAsync("api", Token);
        Assert.Equal(HealthStatus.Healthy, change.Snapshot.HealthStatus);
    }

    [Fact]
    public async Task A_check_that_has_not_run_yet_counts_as_unhealthy()
    {
        await PublishHealthAsync(null);
        var wait = _notifications.WaitForResourceHealthyAsync("api", Token);
        await PublishHealthAsync(HealthStatus.Unhealthy);
        await PublishHealthAsync(HealthStatus.Degraded);
        Assert.False(wait.IsCompleted);
        await PublishHealthAsync(HealthStatus.Healthy);
        await wait;
    }

    [Theory]
    [InlineData("Exited")]
    [InlineData("FailedToStart")]
    [InlineData("Finished")]
    public async Task A_wait_for_health_stops_when_the_resource_is_gone(string state)
    {
        await PublishAsync(_api, state, snapshot => snapshot with { ExitCode = 3, Failure = "no such database" });
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => _notifications.WaitForResourceHealthyAsync("api", Token));
        Assert.Equal($"Resource 'api' is {state} with exit code 3: no such database", exception.Message);
    }

    [Fact]
    public async Task A_wait_that_goes_on_outlasts_a_crash()
    {
        var wait = _notifications.WaitForResourceHealthyAsync("api", WaitBehavior.WaitOnResourceUnavailable, Token);
        await PublishAsync(_api, KnownResourceStates.Exited, snapshot => snapshot with { ExitCode = 1 });
        Assert.False(wait.IsCompleted);
        await PublishAsync(_api, KnownResourceStates.Running);
        await wait;
    }

    [Fact]
    public async Task A_dependency_that_completes_with_the_expected_code_lets_others_start()
    {
        _api.Annotations.Add(new WaitAnnotation(_migrations, WaitType.WaitForCompletion, exitCode: 7));
        var wait = _notifications.WaitForDependenciesAsync(_api, Token);
        await PublishAsync(_migrations, KnownResourceStates.Running);
        Assert.False(wait.IsCompleted);
        await PublishAsync(_migrations, KnownResourceStates.Exited, snapshot => snapshot with { ExitCode = 7 });
        await wait;
    }

    [Theory]
    [InlineData("Exited", 1)]
    [InlineData("Exited", null)]
    [InlineData("FailedToStart", 0)]
    public async Task A_dependency_that_does_not_complete_stops_others(string state, int? exitCode)
    {
        _api.Annotations.Add(new WaitAnnotation(_migrations, WaitType.WaitForCompletion));
        var wait = _notifications.WaitForDependenciesAsync(_api, Token);
        await PublishAsync(_migrations, state, snapshot => snapshot with { ExitCode = exitCode });
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => wait);
        Assert.StartsWith($"Resource 'migrations' is {state}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_resource_starts_only_when_everything_it_waits_for_is_there()
    {
        var redis = new ProjectResource("redis");
        _api.Annotations.Add(new WaitAnnotation(redis, WaitType.WaitUntilHealthy));
        _api.Annotations.Add(new WaitAnnotation(_migrations, WaitType.WaitForCompletion));
        var wait = _notifications.WaitForDependenciesAsync(_api, Token);
        await PublishAsync(_migrations, KnownResourceStates.Finished, snapshot => snapshot with { ExitCode = 0 });
        Assert.False(wait.IsCompleted);
        // Nothing says otherwise, so an ended server is waited for: it may be started again.
        await PublishAsync(redis, KnownResourceStates.Exited);
        Assert.False(wait.IsCompleted);
        await PublishAsync(redis, KnownResourceStates.Running);
        await wait;
    }

    [Fact]
    public async Task A_wait_that_is_to_stop_stops_with_the_dependency()
    {
        _api.Annotations.Add(new WaitAnnotation(_migrations, WaitType.WaitUntilHealthy) { WaitBehavior = WaitBehavior.StopOnResourceUnavailable });
        var wait = _notifications.WaitForDependenciesAsync(_api, Token);
        await PublishAsync(_migrations, KnownResourceStates.Exited);
        await Assert.ThrowsAsync<DistributedApplicationException>(() => wait);
    }

    [Fact]
    public async Task Values_are_waited_for_until_they_are_known()
    {
        _api.Annotations.Add(new WaitAnnotation(_migrations, WaitType.WaitUntilStarted));
        var wait = _notifications.WaitForDependenciesAsync(_api, Token);
        await PublishAsync(_migrations, KnownResourceStates.Starting);
        Assert.False(wait.IsCompleted);
        await PublishAsync(_migrations, KnownResourceStates.Active);
        await wait;
    }

    [Fact]
    public async Task An_update_that_changes_nothing_is_not_told()
    {
        await PublishAsync(_api, KnownResourceStates.Running);
        await using var watch = _notifications.WatchAsync(Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        await PublishAsync(_api, KnownResourceStates.Running);
        await PublishAsync(_api, KnownResourceStates.Exited);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(KnownResourceStates.Exited, watch.Current.Snapshot.State?.Text);
    }

    [Fact]
    public async Task Replicas_are_known_by_their_own_names()
    {
        await _notifications.PublishUpdateAsync(_api, "api-aaaaaaaa", snapshot => snapshot with { State = KnownResourceStates.Running });
        await _notifications.PublishUpdateAsync(_api, "api-bbbbbbbb", snapshot => snapshot with { State = KnownResourceStates.Exited });
        Assert.True(_notifications.TryGetCurrentState("api-aaaaaaaa", out var first));
        Assert.True(_notifications.TryGetCurrentState("api-bbbbbbbb", out var second));
        Assert.Equal(("Running", "Exited"), (first.Snapshot.State!.Text, second.Snapshot.State!.Text));
        Assert.False(_notifications.TryGetCurrentState("api", out _));
    }

    [Fact]
    public async Task No_watcher_misses_an_update_however_many_publish_at_once()
    {
        const int Publishers = 8;
        const int Updates = 500;
        var watching = Enumerable.Range(0, 4).Select(_ => Task.Run(SeenAsync, Token)).ToList();
        await Task.WhenAll(Enumerable.Range(0, Publishers).Select(_ => Task.Run(PublishAllAsync, Token)));
        foreach (var seen in await Task.WhenAll(watching))
        {
            // A watcher that came late starts in the middle, and sees everything from there.
            Assert.Equal(Enumerable.Range(seen[0], seen.Count), seen);
            Assert.Equal(Publishers * Updates, seen[^1]);
        }

        async Task PublishAllAsync()
        {
            for (var i = 0; i < Updates; i++)
            {
                await _notifications.PublishUpdateAsync(_api, snapshot => snapshot with { Restarts = snapshot.Restarts + 1 });
            }
        }

        async Task<List<int>> SeenAsync()
        {
            var seen = new List<int>();
            await foreach (var change in _notifications.WatchAsync(Token))
            {
                seen.Add(change.Snapshot.Restarts);
                if (change.Snapshot.Restarts == Publishers * Updates)
                {
                    break;
                }
            }

            return seen;
        }
    }

    private Task PublishAsync(IResource resource, string state, Func<CustomResourceSnapshot, CustomResourceSnapshot>? also = null) =>
        _notifications.PublishUpdateAsync(resource, snapshot => (also?.Invoke(snapshot) ?? snapshot) with { State = state });

    private Task PublishHealthAsync(HealthStatus? status) => PublishAsync(
        _api, KnownResourceStates.Running, snapshot => snapshot with { HealthReports = [new HealthReportSnapshot("check", status, null, null)] });
}
