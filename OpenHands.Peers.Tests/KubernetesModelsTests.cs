using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using OpenHands.Tests.Deployment.Kubernetes;

namespace OpenHands.Peers.Tests;

/// <summary>A second opinion on the manifests, by npm's kubernetes-models: required fields and types, which strict reading does not see.</summary>
public sealed class KubernetesModelsTests
{
    [Theory]
    [InlineData("overlays/development")]
    [InlineData("overlays/production")]
    [InlineData("overlays/production", "pgbouncer")]
    [InlineData("overlays/production", "managed-databases")]
    public async Task Every_document_has_the_fields_that_its_schema_wants(string overlay, params string[] components)
    {
        var rendered = await Kubectl.RenderAsync(overlay, components);

        var answer = await AskAsync(rendered);

        Assert.Empty(answer["failures"]!.AsArray());
        Assert.Equal(rendered.Split("\n---\n").Length, (int)answer["checked"]!);
    }

    [Theory]
    [InlineData("maxReplicas: 10", "maxReplicas: ten", "spec/maxReplicas must be integer")]
    [InlineData("  scaleTargetRef:", "  scaleTarget:", "must have required property scaleTargetRef")]
    [InlineData("kind: PodDisruptionBudget", "kind: PodDisruption", "PodDisruption api")]
    public async Task A_fault_is_found(string right, string wrong, string finding)
    {
        var rendered = await Kubectl.RenderAsync("overlays/production");
        Assert.Contains(right, rendered, StringComparison.Ordinal);

        var answer = await AskAsync(rendered.Replace(right, wrong, StringComparison.Ordinal));

        Assert.Contains(answer["failures"]!.AsArray(), failure => ((string)failure!).Contains(finding, StringComparison.Ordinal));
    }

    private static async Task<JsonObject> AskAsync(string rendered) =>
        JsonNode.Parse(await Peer.RunAsync("node", [Path.Combine(Folder(), "npm/kubernetes.mjs")], rendered))!.AsObject();

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
