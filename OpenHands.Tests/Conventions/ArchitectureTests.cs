using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace OpenHands.Tests.Conventions;

/// <summary>The rules of docs/architecture.md.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Root = Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!;

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/deployment.md")]
    public void Every_file_that_a_page_names_is_there(string page)
    {
        var text = File.ReadAllText(Path.Combine(Root, page));
        var named = FilePath().Matches(text).Select(match => match.Groups[1].Value);
        var linked = Link().Matches(text).Select(match => Path.Combine(Path.GetDirectoryName(page)!, match.Groups[1].Value));
        var paths = named.Concat(linked).ToList();

        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.True(Path.Exists(Path.Combine(Root, path)), $"{page} names {path}"));
    }

    [Theory]
    [InlineData("OpenHands.Hosting", "")]
    [InlineData("OpenHands.Dashboard", "")]
    [InlineData("OpenHands.ServiceDefaults", "")]
    [InlineData("OpenHands.Storage", "")]
    [InlineData("OpenHands.Api", "OpenHands.ServiceDefaults OpenHands.Storage")]
    [InlineData("OpenHands.Worker", "OpenHands.ServiceDefaults OpenHands.Storage")]
    [InlineData("OpenHands.Cli", "OpenHands.Hosting OpenHands.Storage")]
    public void Projects_reference_only_what_their_direction_allows(string project, string allowed)
    {
        var references = XDocument.Load(Path.Combine(Root, project, $"{project}.csproj")).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!)).Order();

        Assert.Equal(allowed, string.Join(' ', references));
    }

    [GeneratedRegex("`((?:OpenHands\\.[A-Za-z]+|docs|deploy|\\.ci)/[A-Za-z0-9_./-]+)`")]
    private static partial Regex FilePath();

    [GeneratedRegex(@"\]\((?!http|#)([^)#]+)\)")]
    private static partial Regex Link();
}
