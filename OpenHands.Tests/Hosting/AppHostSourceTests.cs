using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace OpenHands.Tests.Hosting;

/// <summary>The AppHost is Aspire code: it would compile if the embedded host did not exist.</summary>
public sealed partial class AppHostSourceTests
{
    private static readonly string Source = File.ReadAllText(Path.Combine(Projects.OpenHands_AppHost.ProjectPath, "AppHost.cs"));

    [Fact]
    public void The_diagram_fits_on_a_page() => Assert.InRange(Source.Split('\n').Length, 1, 99);

    [Fact]
    public void There_is_no_other_source_file() =>
        Assert.Equal(
            ["AppHost.cs"],
            Directory.EnumerateFiles(Projects.OpenHands_AppHost.ProjectPath, "*.cs", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Projects.OpenHands_AppHost.ProjectPath, file))
                .Where(file => !file.StartsWith("obj", StringComparison.Ordinal) && !file.StartsWith("bin", StringComparison.Ordinal)));

    [Fact]
    public void The_source_uses_the_configuration_and_what_an_AppHost_uses_implicitly() =>
        Assert.Equal(["Microsoft.Extensions.Configuration"], Usings().Matches(Source).Select(match => match.Groups[1].Value));

    [Fact]
    public void The_source_names_nothing_of_ours_but_its_projects()
    {
        var code = TextOrRemark().Replace(Source, "");
        Assert.Equal(["Projects.OpenHands_Api", "Projects.OpenHands_Worker"], OurNames().Matches(code).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal));
        Assert.DoesNotContain("#if", Source, StringComparison.Ordinal);
    }

    [Fact]
    public void The_compiled_AppHost_refers_to_types_of_Aspire_only()
    {
        using var file = new PEReader(File.OpenRead(typeof(Projects.OpenHands_AppHost).Assembly.Location));
        var metadata = file.GetMetadataReader();
        var namespaces = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Select(type => Outermost(metadata, type))
            .Where(type => type.ResolutionScope.Kind == HandleKind.AssemblyReference
                && metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name) == "OpenHands.Hosting")
            .Select(type => metadata.GetString(type.Namespace)).Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.Equal(["Aspire.Hosting", "Aspire.Hosting.ApplicationModel"], namespaces);
    }

    [Fact]
    public void The_compiled_AppHost_refers_to_no_other_assembly_of_ours()
    {
        using var file = new PEReader(File.OpenRead(typeof(Projects.OpenHands_AppHost).Assembly.Location));
        var metadata = file.GetMetadataReader();
        var ours = metadata.AssemblyReferences.Select(reference => metadata.GetString(metadata.GetAssemblyReference(reference).Name))
            .Where(name => name.StartsWith("OpenHands.", StringComparison.Ordinal));
        Assert.Equal(["OpenHands.Hosting"], ours);
    }

    private static TypeReference Outermost(MetadataReader metadata, TypeReference type)
    {
        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            type = metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        }

        return type;
    }

    [GeneratedRegex(@"^\s*(?:global )?using (?:static )?([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Usings();

    [GeneratedRegex("""
        //.*$|"[^"]*"
        """, RegexOptions.Multiline)]
    private static partial Regex TextOrRemark();

    [GeneratedRegex(@"[\w.]*OpenHands[\w.]*")]
    private static partial Regex OurNames();
}
