using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OpenHands.Tests.Deployment;

/// <summary>What `dotnet publish -t:PublishContainer` would make. No base image can be pulled everywhere, so it is asked and not run.</summary>
public sealed class ImageTests
{
    private static readonly string Checkout = Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!;

    [Theory]
    [InlineData("OpenHands.Api", "openhands/api")]
    [InlineData("OpenHands.Worker", "openhands/worker")]
    public async Task The_services_become_small_images_that_are_not_run_as_root(string project, string repository)
    {
        var (exitCode, output) = await AskAsync(project);

        Assert.True(exitCode == 0, output);
        var image = JsonNode.Parse(output)!["Properties"]!;
        Assert.Equal(repository, (string?)image["ContainerRepository"]);
        Assert.Equal("0.1.0", (string?)image["ContainerImageTag"]);
        Assert.Equal("mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled", (string?)image["ContainerBaseImage"]);
        Assert.Equal("1654", (string?)image["ContainerUser"]);
    }

    [Fact]
    public async Task Registry_prefix_and_tag_are_parameters()
    {
        var (_, output) = await AskAsync("OpenHands.Api", "-p:ContainerRegistry=registry.example.org", "-p:ImagePrefix=acme/oh/", "-p:ContainerImageTag=1.2.3");

        var image = JsonNode.Parse(output)!["Properties"]!;
        Assert.Equal(
            "registry.example.org/acme/oh/api:1.2.3", $"{image["ContainerRegistry"]}/{image["ContainerRepository"]}:{image["ContainerImageTag"]}");
    }

    [Theory]
    [InlineData("-p:ImagePrefix=Acme Inc/", "'Acme Inc/api' is no name of an image")]
    [InlineData("-p:ImagePrefix=registry.example.org:5000/", "belongs in ContainerRegistry")]
    [InlineData("-p:ContainerImageTag=1.2:3", "'1.2:3' is no tag of an image")]
    public async Task A_wrong_name_is_refused_and_says_what_would_be_right(string property, string message)
    {
        var (exitCode, output) = await AskAsync("OpenHands.Api", property);

        Assert.NotEqual(0, exitCode);
        Assert.Contains(message, output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> AskAsync(string project, params string[] properties)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Checkout,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        string[] wanted = ["ContainerRegistry", "ContainerRepository", "ContainerImageTag", "ContainerBaseImage", "ContainerUser"];
        foreach (var argument in (string[])["msbuild", project, "-nologo", "-nodeReuse:false", "-t:ComputeContainerConfig", .. wanted.Select(name => $"-getProperty:{name}"), .. properties])
            start.ArgumentList.Add(argument);

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, process.ExitCode == 0 ? output : output + await errors);
    }
}
