using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Hosting.Orchestration;

public sealed class ParentWatchTests
{
    [Theory]
    [InlineData("dotnet run")]
    [InlineData("dotnet run --project OpenHands.AppHost -- --Ports:Api=0")]
    [InlineData("/usr/share/dotnet/dotnet run")]
    [InlineData("dotnet -d run")]
    [InlineData("dotnet watch run --project OpenHands.AppHost")]
    public void A_dotnet_run_is_recognised(string commandLine) => Assert.True(ParentWatch.IsDotnetRun(commandLine.Split(' ')));

    [Theory]
    [InlineData("")]
    [InlineData("dotnet")]
    [InlineData("bash -c dotnet run")]
    [InlineData("dotnet exec /srv/OpenHands.Worker.dll run")]
    [InlineData("dotnet /srv/supervisor.dll run")]
    [InlineData("dotnet test -- run")]
    [InlineData("/usr/bin/dotnet-runner run")]
    [InlineData("systemd --user")]
    public void Other_parents_may_go_away(string commandLine) => Assert.False(ParentWatch.IsDotnetRun(commandLine.Split(' ')));
}
