using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using OpenHands.Hosting.Publishing;

namespace OpenHands.Tests.Hosting.Publishing;

public sealed class PublishOptionsTests
{
    [Theory]
    [InlineData("", false)]
    [InlineData("--operation run", false)]
    [InlineData("--operation RUN --Ports:Api=1", false)]
    [InlineData("--publisher manifest", true)]
    [InlineData("--operation publish --publisher manifest", true)]
    [InlineData("--operation publish --step publish-manifest", true)]
    public void The_application_is_published_when_an_operation_or_a_publisher_says_so(string command, bool publishes)
    {
        var options = Read(command);

        Assert.Null(options.Mistake);
        Assert.Equal(publishes, options.Publishes);
    }

    [Theory]
    [InlineData("--publisher", "--publisher needs a value")]
    [InlineData("--publisher=", "--publisher needs a value")]
    [InlineData("--publisher manifest --output-path", "--output-path needs a value")]
    [InlineData("--publisher manifest --output-path=", "--output-path needs a value")]
    [InlineData("--output-path --publisher manifest", "--output-path needs a value")]
    [InlineData("--operation", "--operation needs a value")]
    [InlineData("--operation destroy", "--operation destroy is not known")]
    [InlineData("--operation publish", "--operation publish needs --publisher manifest")]
    [InlineData("--operation run --publisher manifest", "--publisher belongs to publishing")]
    [InlineData("--step publish-manifest", "--step belongs to publishing")]
    [InlineData("--output-path out.json", "--output-path belongs to publishing")]
    public void Options_that_contradict_each_other_or_lack_a_value_are_a_mistake(string command, string mistake) =>
        Assert.StartsWith(mistake, Read(command).Mistake, StringComparison.Ordinal);

    [Fact]
    public void Only_the_manifest_and_a_file_for_Compose_are_published()
    {
        Read("--publisher MANIFEST").RequireKnownPublisher();
        Read("--operation publish --step publish-manifest").RequireKnownPublisher();
        Read("--publisher compose").RequireKnownPublisher();
        Assert.Throws<DistributedApplicationException>(Read("--publisher compose --step publish-manifest").RequireKnownPublisher);
        Assert.Throws<DistributedApplicationException>(Read("--publisher kubernetes").RequireKnownPublisher);
        Assert.Throws<DistributedApplicationException>(Read("--publisher manifest --step publish").RequireKnownPublisher);
    }

    private static PublishOptions Read(string command)
    {
        var arguments = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var configuration = new ConfigurationBuilder().AddCommandLine(arguments, PublishOptions.Switches.ToDictionary()).Build();
        return PublishOptions.Read(configuration, arguments);
    }
}
