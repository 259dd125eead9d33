using System.Text.RegularExpressions;
using Aspire.Hosting;

namespace OpenHands.Tests.Hosting.Surface;

/// <summary>What compiles against the embedded host must compile against the real Aspire, and mean the same.</summary>
public sealed partial class PublicSurfaceTests
{
    private static readonly IReadOnlyList<SurfaceType> Ours = PublicSurface.Of(typeof(DistributedApplication).Assembly);
    private static readonly IReadOnlyDictionary<string, SurfaceType> Aspires = Read();

    [Fact]
    public void Only_types_of_Aspire_are_public() =>
        Assert.Empty(Ours.Select(type => type.Head.Declaration).Except(Aspires.Keys));

    [Fact]
    public void Every_public_member_is_one_of_Aspire() =>
        Assert.Empty(Ours.SelectMany(type => type.Members.Where(member => !Has(type.Head.Declaration, member)).Select(member => $"{type.Head.Declaration} :: {member}")));

    [Fact]
    public void Types_derive_from_what_those_of_Aspire_derive_from()
    {
        var known = Ours.Select(type => ShortName(type.Head.Declaration)).ToHashSet();
        foreach (var type in Ours)
        {
            var expected = Aspires[type.Head.Declaration].Head.Parents;
            // Aspire's types may derive from some that the embedded host has no use for.
            Assert.Subset(expected.ToHashSet(), type.Head.Parents.ToHashSet());
            Assert.Subset(type.Head.Parents.ToHashSet(), expected.Where(parent => known.Contains(parent.Split('<')[0])).ToHashSet());
        }
    }

    [Fact]
    public void The_list_of_Aspire_names_nothing_that_the_embedded_host_has_lost() =>
        Assert.Empty(Aspires.Keys.Except(Ours.Select(type => type.Head.Declaration)));

    /// <summary>A property of ours may offer less than Aspire's: what reads it reads Aspire's too.</summary>
    private static bool Has(string declaration, string member) =>
        Aspires.TryGetValue(declaration, out var aspire)
        && aspire.Members.Any(other => other == member || (member.EndsWith("{ get; }", StringComparison.Ordinal) && WithoutSetter().Replace(other, "{ get; }") == member));

    private static Dictionary<string, SurfaceType> Read()
    {
        var types = new Dictionary<string, SurfaceType>();
        var members = new List<string>();
        foreach (var line in Recording.Lines("aspire-public-surface.txt"))
        {
            if (line[0] == ' ')
            {
                members.Add(line.Trim());
                continue;
            }

            // A constraint has a colon as well, and comes before the parents.
            var parents = Parents().Match(line);
            var declaration = parents.Success ? line[..parents.Index] : line;
            members = [];
            types.Add(declaration, new SurfaceType(new SurfaceHead(declaration, parents.Success ? Split().Split(parents.Groups[1].Value) : []), members));
        }

        return types;
    }

    private static string ShortName(string declaration) => Name().Match(declaration).Groups[1].Value;

    [GeneratedRegex(@"(?<! where \w+) : (.*?)$")]
    private static partial Regex Parents();

    [GeneratedRegex(@", (?![^<]*>)")]
    private static partial Regex Split();

    [GeneratedRegex(@"\.(\w+)(<[^>]*>)?( where .*)?$")]
    private static partial Regex Name();

    [GeneratedRegex(@"\{ get; (set|init); \}$")]
    private static partial Regex WithoutSetter();
}
