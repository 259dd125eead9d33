using System.Text;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Hosting.Publishing;

namespace OpenHands.Tests.Hosting.Publishing;

/// <summary>Manifests of applications that are described in this process, and the one that our AppHost should give.</summary>
internal static class Manifest
{
    /// <summary>What the real Aspire 13.2 writes for our AppHost, from the folder that the projects' folders lie in.</summary>
    public static string Expected { get; } = ReadExpected();

    /// <summary>The folder that the projects' folders lie in.</summary>
    public static string Checkout { get; } = Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!;

    /// <summary>What our AppHost gives.</summary>
    public static async Task<string> OfAppHostAsync(params string[] args)
    {
        var token = TestContext.Current.CancellationToken;
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(["--publisher", "manifest", .. args], token);
        await using var application = await builder.BuildAsync(token);
        return await WriteAsync(application);
    }

    /// <summary>The resources that an application described here gives.</summary>
    public static async Task<JsonObject> OfAsync(Action<IDistributedApplicationBuilder> describe)
    {
        var builder = DistributedApplication.CreateBuilder(["--publisher", "manifest"]);
        describe(builder);
        await using var application = builder.Build();
        return Resources(await WriteAsync(application));
    }

    public static JsonObject Resources(string manifest) => JsonNode.Parse(manifest)!["resources"]!.AsObject();

    private static async Task<string> WriteAsync(DistributedApplication application) => Encoding.UTF8.GetString(
        await application.Services.GetRequiredService<ManifestPublisher>().WriteAsync(Checkout, TestContext.Current.CancellationToken));

    private static string ReadExpected()
    {
        using var reader = new StreamReader(typeof(Manifest).Assembly.GetManifestResourceStream("expected-manifest.json")!);
        return reader.ReadToEnd().TrimEnd('\n'); // the writer ends without a line feed
    }
}
