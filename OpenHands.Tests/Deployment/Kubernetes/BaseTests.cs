using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OpenHands.Tests.Hosting.Publishing;
using YamlDotNet.RepresentationModel;

namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>
/// deploy/kubernetes/base is what aspirate made of our manifest. aspirate is not run here; what it would have to write anew after a
/// change of the model is found all the same.
/// </summary>
public sealed partial class BaseTests
{
    private const string FixedPassword = "replaced-by-overlay";

    private static readonly JsonObject Resources = Manifest.Resources(Manifest.Expected);

    public static TheoryData<string> Running => [.. Resources.Where(resource => (string?)resource.Value!["type"] is "container.v0" or "project.v0").Select(resource => resource.Key)];

    [Fact]
    public void Every_resource_that_runs_has_a_folder_and_nothing_else_has()
    {
        var listed = Texts(Read("kustomization.yaml"), "resources").ToList();

        Assert.Equal(Running.Select(row => row.Data).Append("namespace.yaml").Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.Equal(listed.Order(StringComparer.Ordinal), Directory.EnumerateFileSystemEntries(Path.Combine(Kubectl.Folder, "base")).Select(Path.GetFileName).Where(name => name != "kustomization.yaml").Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Running))]
    public void Its_variables_are_those_of_the_manifest(string name)
    {
        var expected = Resources[name]!["env"]!.AsObject()
            .Where(variable => !Protected().IsMatch(variable.Key))
            .Select(variable => $"{variable.Key}={Plain((string)variable.Value!)}")
            .ToList();
        if ((string?)Resources[name]!["type"] == "project.v0")
            expected.Add("ASPNETCORE_URLS=http://+:8080;");

        var generator = (YamlMappingNode)((YamlSequenceNode)Read($"{name}/kustomization.yaml")["configMapGenerator"])[0];
        Assert.Equal(expected, Texts(generator, "literals"));
    }

    [Theory]
    [MemberData(nameof(Running))]
    public void Its_secrets_come_from_a_file_that_only_aspirate_fills(string name)
    {
        var hasSecrets = Resources[name]!["env"]!.AsObject().Any(variable => Protected().IsMatch(variable.Key));
        var file = Path.Combine(Kubectl.Folder, "base", name, $".{name}.secrets");

        Assert.Equal(hasSecrets, ((YamlMappingNode)Read($"{name}/kustomization.yaml")).Children.ContainsKey("secretGenerator"));
        Assert.Equal(hasSecrets ? "" : null, File.Exists(file) ? File.ReadAllText(file) : null);
    }

    [Theory]
    [MemberData(nameof(Running))]
    public void Its_image_arguments_ports_and_volumes_are_those_of_the_manifest(string name)
    {
        var resource = Resources[name]!;
        var workload = Read(File.Exists(Path.Combine(Kubectl.Folder, "base", name, "statefulset.yaml")) ? $"{name}/statefulset.yaml" : $"{name}/deployment.yaml");
        var container = (YamlMappingNode)((YamlSequenceNode)workload["spec"]["template"]["spec"]["containers"])[0];
        var ports = (resource["bindings"]?.AsObject() ?? []).Select(binding => $"{binding.Value!["targetPort"]}");

        Assert.Equal((string?)resource["image"] ?? $"registry.example.com/{name}:1.0.0", (string?)container["image"]);
        Assert.Equal((resource["args"]?.AsArray() ?? []).Select(argument => (string)argument!), Texts(container, "args"));
        Assert.Equal(ports, Maps(container, "ports").Select(port => (string?)port["containerPort"]!));
        Assert.Equal(
            (resource["volumes"]?.AsArray() ?? []).Select(volume => (((string)volume!["name"]!).Replace('.', '-'), (string)volume["target"]!)),
            Maps(container, "volumeMounts").Select(mount => ((string)mount["name"]!, (string)mount["mountPath"]!)));
    }

    private static string Plain(string value) => Expression().Replace(value, match => match.Groups[1].Value switch
    {
        "redis-password.value" => FixedPassword,
        var expression when expression.Split('.') is [var name, "bindings", var binding, "targetPort"] => $"{Resources[name]!["bindings"]![binding]!["targetPort"]}",
        var unknown => throw new InvalidOperationException($"{unknown} would be in a ConfigMap"),
    });

    private static YamlNode Read(string file)
    {
        using var reader = new StreamReader(Path.Combine(Kubectl.Folder, "base", file));
        var yaml = new YamlStream();
        yaml.Load(reader);
        return yaml.Documents[^1].RootNode;
    }

    private static IEnumerable<string> Texts(YamlNode node, string member) =>
        ((YamlMappingNode)node).Children.TryGetValue(member, out var values) ? ((YamlSequenceNode)values).Select(value => (string)value!) : [];

    private static IEnumerable<YamlMappingNode> Maps(YamlNode node, string member) =>
        ((YamlMappingNode)node).Children.TryGetValue(member, out var values) ? ((YamlSequenceNode)values).Cast<YamlMappingNode>() : [];

    // The names that aspirate takes for secrets.
    [GeneratedRegex("^(ConnectionString|POSTGRES_PASSWORD)")]
    private static partial Regex Protected();

    [GeneratedRegex(@"\{([A-Za-z0-9.-]+)\}")]
    private static partial Regex Expression();
}
