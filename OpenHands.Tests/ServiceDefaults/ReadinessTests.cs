using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using OpenHands.ServiceDefaults.Health;

namespace OpenHands.Tests.ServiceDefaults;

public sealed class ReadinessTests
{
    [Fact]
    public async Task Fifty_probes_at_once_share_one_evaluation()
    {
        var answer = new TaskCompletionSource<HealthCheckResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var check = new ScriptedCheck(_ => answer.Task);
        await using var service = await ProbedService.StartAsync("database", check);
        var readiness = service.Services.GetRequiredService<Readiness>();

        var reports = Enumerable.Range(0, 50)
            .Select(_ => Task.Run(() => readiness.ReportAsync(TestContext.Current.CancellationToken)))
            .ToArray();
        await check.Begun;
        var overHttp = service.ProbeAsync("/health");
        answer.SetResult(HealthCheckResult.Healthy());

        var all = await Task.WhenAll(reports);
        var (status, _) = await overHttp;

        Assert.Equal(1, check.Runs);
        Assert.All(all, report => Assert.Same(all[0], report));
        Assert.Equal(200, status);
    }

    [Fact]
    public async Task A_report_is_handed_out_for_less_than_a_second()
    {
        var check = new ScriptedCheck(_ => Task.FromResult(HealthCheckResult.Healthy()));
        await using var service = await ProbedService.StartAsync("database", check);

        await service.ProbeAsync("/health");
        service.Clock.Advance(Readiness.MaxAge - TimeSpan.FromMilliseconds(1));
        await service.ProbeAsync("/health");
        Assert.Equal(1, check.Runs);

        service.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await service.ProbeAsync("/health");
        Assert.Equal(2, check.Runs);
    }

    [Fact]
    public async Task A_probe_that_goes_away_does_not_end_the_evaluation_of_the_others()
    {
        var answer = new TaskCompletionSource<HealthCheckResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await ProbedService.StartAsync("database", new ScriptedCheck(_ => answer.Task));
        var readiness = service.Services.GetRequiredService<Readiness>();
        using var gone = new CancellationTokenSource();

        var first = readiness.ReportAsync(gone.Token);
        var second = readiness.ReportAsync(TestContext.Current.CancellationToken);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        answer.SetResult(HealthCheckResult.Healthy());

        Assert.Equal(HealthStatus.Healthy, (await second).Status);
    }

    [Fact]
    public async Task A_check_that_hangs_counts_as_failed_at_its_time_limit()
    {
        var never = new TaskCompletionSource<HealthCheckResult>();
        var check = new ScriptedCheck(_ => never.Task);
        await using var service = await ProbedService.StartAsync("database", check);

        var probe = service.ProbeAsync("/health");
        await check.Begun;
        await service.AnsweredAsync("self");
        Assert.False(probe.IsCompleted);
        service.Clock.Advance(HealthCheckRules.TimeLimit);
        var (status, body) = await probe;

        Assert.Equal(503, status);
        var checks = body.GetProperty("checks");
        Assert.Equal("Unhealthy", checks.GetProperty("database").GetProperty("status").GetString());
        Assert.Equal("No answer within 1.5 s.", checks.GetProperty("database").GetProperty("description").GetString());
        Assert.Equal("Healthy", checks.GetProperty("self").GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_check_that_blocks_its_thread_is_given_up_too()
    {
        using var release = new ManualResetEventSlim();
        var check = new ScriptedCheck(_ =>
        {
            release.Wait(TestContext.Current.CancellationToken);
            return Task.FromResult(HealthCheckResult.Healthy());
        });
        await using var service = await ProbedService.StartAsync("StackExchange.Redis", check);

        var probe = service.ProbeAsync("/health");
        await check.Begun;
        await service.AnsweredAsync("self");
        service.Clock.Advance(HealthCheckRules.TimeLimit);
        var (status, body) = await probe;
        release.Set();

        Assert.Equal(200, status);
        Assert.Equal("Degraded", body.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_check_still_hanging_is_not_started_a_second_time_and_counts_again_once_it_answers()
    {
        var answer = new TaskCompletionSource<HealthCheckResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var check = new ScriptedCheck(_ => answer.Task);
        await using var service = await ProbedService.StartAsync("database", check);
        var registration = service.Services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value
            .Registrations.Single(registration => registration.Name == "database");
        var bounded = registration.Factory(service.Services);
        var context = new HealthCheckContext { Registration = registration };

        var first = bounded.CheckHealthAsync(context, TestContext.Current.CancellationToken);
        await check.Begun;
        service.Clock.Advance(HealthCheckRules.TimeLimit);
        Assert.Equal(HealthStatus.Unhealthy, (await first).Status);

        var second = bounded.CheckHealthAsync(context, TestContext.Current.CancellationToken);
        answer.SetResult(HealthCheckResult.Healthy());

        Assert.Equal(HealthStatus.Healthy, (await second).Status);
        Assert.Equal(1, check.Runs);
    }
}
