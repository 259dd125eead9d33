using OpenHands.Hosting.Terminal;

namespace OpenHands.Tests.Hosting.Terminal;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-?")]
    [InlineData("--Ports:Api=0", "--help")]
    public void Help_can_be_asked_for_in_three_ways(params string[] arguments) => Assert.True(new CommandLine(arguments).AsksForHelp);

    [Theory]
    [InlineData]
    [InlineData("help")]
    [InlineData("--helpful")]
    [InlineData("--Ports:Api=3000")]
    public void Nothing_else_asks_for_help(params string[] arguments) => Assert.False(new CommandLine(arguments).AsksForHelp);
}
