using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Tests.Hosting.Publishing;

/// <summary>What a manifest says of models that our AppHost does not have.</summary>
public sealed class ManifestWriterTests
{
    [Fact]
    public async Task Passwords_that_nobody_declared_come_after_the_model_and_conditions_last()
    {
        var resources = await Manifest.OfAsync(builder =>
        {
            builder.AddRedis("cache");
            builder.AddPostgres("pg").AddDatabase("db");
            builder.AddParameter("token", secret: true);
        });

        Assert.Equal(
            ["cache", "pg", "db", "token", "cache-password", "pg-password"],
            resources.Select(resource => resource.Key).Where(name => !name.StartsWith("cond-", StringComparison.Ordinal)));
        Assert.StartsWith("cond-cache-bindings-tcp-tlsenabled-", resources.Last().Key, StringComparison.Ordinal);
        Assert.Equal("""{"minLength":22}""", resources["pg-password"]!["inputs"]!["value"]!["default"]!["generate"]!.ToJsonString());
        Assert.Equal("""{"minLength":22,"special":false}""", resources["cache-password"]!["inputs"]!["value"]!["default"]!["generate"]!.ToJsonString());
        Assert.Equal("""{"type":"string","secret":true}""", resources["token"]!["inputs"]!["value"]!.ToJsonString());
    }

    [Fact]
    public async Task A_condition_is_named_for_what_it_is_made_of()
    {
        var resources = await Manifest.OfAsync(builder =>
        {
            builder.AddRedis("redis");
            builder.AddRedis("other");
        });
        var conditions = resources.Where(resource => resource.Key.StartsWith("cond-", StringComparison.Ordinal)).ToList();

        Assert.Equal(2, conditions.Count);
        Assert.Equal("cond-redis-bindings-tcp-tlsenabled-d148d83a", conditions[0].Key); // as the real Aspire names it
        Assert.EndsWith($"{{{conditions[1].Key}.connectionString}}", (string)resources["other"]!["connectionString"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ports_that_nobody_gave_are_chosen_by_the_deployment_or_counted_from_8000()
    {
        var resources = await Manifest.OfAsync(builder =>
        {
            builder.AddPostgres("pg", port: 8000);
            builder.AddProject<SomeProject>("service", options => options.ExcludeLaunchProfile = true)
                .WithHttpEndpoint()
                .WithHttpEndpoint(name: "admin")
                .WithHttpEndpoint(port: 80, name: "public")
                .WithEndpoint(port: 7000, targetPort: 7001, name: "raw");
        });
        var bindings = resources["service"]!["bindings"]!;

        Assert.Equal((8000, 5432), Ports(resources["pg"]!["bindings"]!["tcp"]!));
        Assert.Equal((null, null), Ports(bindings["http"]!));
        Assert.Equal((null, 8001), Ports(bindings["admin"]!));
        Assert.Equal((80, 8002), Ports(bindings["public"]!));
        Assert.Equal((7000, 7001), Ports(bindings["raw"]!));
    }

    [Fact]
    public async Task A_value_of_every_kind_becomes_the_expression_that_stands_for_it()
    {
        var resources = await Manifest.OfAsync(builder =>
        {
            var token = builder.AddParameter("token");
            var api = builder.AddProject<SomeProject>("api", options => options.ExcludeLaunchProfile = true).WithHttpEndpoint(targetPort: 8080);
            builder.AddProject<SomeProject>("web", options => options.ExcludeLaunchProfile = true)
                .WithEnvironment("TEXT", "a+b")
                .WithEnvironment("TOKEN", token)
                .WithEnvironment("MIXED", ReferenceExpression.Create($"{{{token}}}"))
                .WithEnvironment(context => context.EnvironmentVariables["BUILDER"] = token)
                .WithEnvironment(context => context.EnvironmentVariables["NUMBER"] = 7)
                .WithReferenceEnvironment(ReferenceEnvironmentInjectionFlags.ServiceDiscovery)
                .WithReference(api);
        });
        var environment = resources["web"]!["env"]!;

        Assert.Equal("a+b", (string)environment["TEXT"]!);
        Assert.Equal("{token.value}", (string)environment["TOKEN"]!);
        Assert.Equal("{{token.value}}", (string)environment["MIXED"]!);
        Assert.Equal("{token.value}", (string)environment["BUILDER"]!);
        Assert.Equal("7", (string)environment["NUMBER"]!);
        Assert.Equal("{api.bindings.http.url}", (string)environment["services__api__http__0"]!);
        Assert.Equal("Some/Some.csproj", (string)resources["web"]!["path"]!);
    }

    [Fact]
    public async Task A_resource_of_an_unknown_type_is_refused_by_name()
    {
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => Manifest.OfAsync(builder => builder.AddResource(new Fax("fax"))));

        Assert.Contains("'fax' has no form in a manifest: it is a Fax", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_this_machine_is_refused()
    {
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => Manifest.OfAsync(builder => builder.AddRedis("redis")
            .WithAnnotation(new ContainerMountAnnotation("/folder", "/data", ContainerMountType.BindMount, isReadOnly: false))));

        Assert.Contains("'redis' mounts /folder", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_without_an_image_is_refused()
    {
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => Manifest.OfAsync(builder => builder.AddResource(new ContainerResource("box"))));

        Assert.Contains("'box' has no image", exception.Message, StringComparison.Ordinal);
    }

    private static (int? Port, int? TargetPort) Ports(JsonNode binding) => ((int?)binding["port"], (int?)binding["targetPort"]);

    private sealed class Fax(string name) : Resource(name);

    private sealed class SomeProject : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(Manifest.Checkout, "Some", "Some.csproj");
    }
}
