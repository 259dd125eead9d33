using System.Diagnostics;
using OpenHands.Api;

namespace OpenHands.Tests.Api;

public sealed class ProgramTests
{
    [Fact]
    public async Task A_configuration_that_cannot_be_used_ends_the_process_with_the_reasons_and_no_stack_trace()
    {
        var stop = TestContext.Current.CancellationToken;
        using var process = Process.Start(new ProcessStartInfo("dotnet",
            [typeof(ApiApplication).Assembly.Location, $"--ConnectionStrings:secrets={new string('k', 43)}", "--Identity:Mode=saml", "--Cors:Origins:0=*"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;

        var (said, failed) = (process.StandardOutput.ReadToEndAsync(stop), process.StandardError.ReadToEndAsync(stop));
        await process.WaitForExitAsync(stop);

        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("The API cannot start", await failed);
        Assert.Contains("Identity:Mode must be one of: local, oidc", await failed);
        Assert.Contains("Cors:Origins must hold origins", await failed);
        Assert.DoesNotContain("   at ", await said + await failed);
    }
}
