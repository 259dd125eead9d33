#if !ASPIRE_PACKAGES // its processes and servers are those of the embedded host
using OpenHands.Benchmarks.Chaos;

namespace OpenHands.Tests.Benchmarks;

/// <summary>Faults against real processes under load; <c>CHAOS_FAULTS</c> and <c>CHAOS_SEED</c> ask for more or for others.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task No_acknowledged_task_is_lost_and_every_effect_happens_once_whatever_is_killed()
    {
        var faults = Environment.GetEnvironmentVariable("CHAOS_FAULTS") ?? "10";
        var seed = Environment.GetEnvironmentVariable("CHAOS_SEED") ?? "1";
        using var output = new StringWriter();
        var exitCode = await ChaosCommand.RunAsync(["--faults", faults, "--seed", seed], output, TestContext.Current.CancellationToken);

        Assert.True(exitCode == 0, output.ToString());
        TestContext.Current.TestOutputHelper?.WriteLine(output.ToString());
    }

    [Theory]
    [InlineData]
    [InlineData("--faults")]
    [InlineData("--faults", "none")]
    [InlineData("--fault", "1")]
    [InlineData("--faults", "1", "--fault", "none of this name")]
    public async Task A_command_line_that_is_not_understood_answers_2_with_the_usage(params string[] args)
    {
        using var output = new StringWriter();
        Assert.Equal(2, await ChaosCommand.RunAsync(args, output, TestContext.Current.CancellationToken));
        Assert.Contains("chaos --faults", output.ToString());
    }
}
#endif
