using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OpenHands.Tests.Hosting.Publishing;

/// <summary>The manifest of our AppHost: byte for byte, and rule by rule what aspirate takes in all its formats.</summary>
public sealed partial class AppHostManifestTests
{
    private static readonly string[] KnownTypes = ["container.v0", "project.v0", "value.v0", "parameter.v0"];

    [Fact]
    public async Task The_manifest_is_what_the_real_Aspire_writes() => Assert.Equal(Manifest.Expected, await Manifest.OfAppHostAsync());

    [Fact]
    public async Task A_second_manifest_is_the_same() => Assert.Equal(await Manifest.OfAppHostAsync(), await Manifest.OfAppHostAsync());

    [Fact]
    public async Task A_port_that_differs_from_the_target_is_written_before_it()
    {
        var manifest = await Manifest.OfAppHostAsync("--Ports:Postgres=15432");

        Assert.Contains("\"port\": 15432,\n          \"targetPort\": 5432", manifest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_type_is_known_and_every_name_is_lower_case_letters_digits_and_hyphens()
    {
        var resources = await ResourcesAsync();

        Assert.All(resources, resource => Assert.Contains((string)resource.Value["type"]!, KnownTypes));
        Assert.All(resources.Keys.Concat(resources.Values.SelectMany(Bindings).Select(binding => binding.Key)), name => Assert.Matches(Name(), name));
    }

    [Fact]
    public async Task Every_binding_has_a_target_port_and_no_other_port_and_a_project_listens_on_8080()
    {
        var resources = await ResourcesAsync();

        Assert.All(resources.Values.SelectMany(Bindings), binding => Assert.True(binding.Value!["port"] is null && binding.Value["targetPort"] is not null));
        var projects = resources.Values.Where(resource => (string)resource["type"]! == "project.v0").SelectMany(Bindings).ToList();
        Assert.Equal(2, projects.Count);
        Assert.All(projects, binding => Assert.Equal(("http", "http", 8080), (binding.Key, (string)binding.Value!["scheme"]!, (int)binding.Value["targetPort"]!)));
    }

    [Fact]
    public async Task Everything_that_runs_has_a_variable_that_is_no_secret_and_every_value_survives_a_template()
    {
        var environments = (await ResourcesAsync()).Values.Where(Runs).Select(resource => resource["env"]!.AsObject()).ToList();

        Assert.Equal(5, environments.Count);
        // Redis' only variable is its password, which aspirate takes for an ordinary one: the overlays make it a secret.
        Assert.All(environments, variables => Assert.Contains(variables, variable => !ProtectedName().IsMatch(variable.Key)));
        Assert.All(environments.SelectMany(variables => variables), variable => Assert.DoesNotMatch(Troublesome(), (string)variable.Value!));
    }

    [Fact]
    public async Task Every_password_is_a_secret_parameter_that_is_generated_of_letters_and_digits()
    {
        var parameters = (await ResourcesAsync()).Where(resource => (string)resource.Value["type"]! == "parameter.v0").ToList();

        Assert.Equal(5, parameters.Count);
        Assert.All(parameters, parameter =>
        {
            var input = parameter.Value["inputs"]!["value"]!;
            var generate = input["default"]!["generate"]!;
            Assert.True((bool)input["secret"]!);
            Assert.False((bool)generate["special"]!);
            Assert.InRange((int)generate["minLength"]!, 24, 64);
            Assert.Null(input["default"]!["value"]);
            Assert.Equal($"{{{parameter.Key}.inputs.value}}", (string)parameter.Value["value"]!);
        });
    }

    [Fact]
    public async Task Projects_get_connection_strings_by_reference_and_no_parts_of_them()
    {
        var variables = (await ResourcesAsync()).Values.Where(resource => (string)resource["type"]! == "project.v0").SelectMany(resource => resource["env"]!.AsObject()).ToList();
        var connectionStrings = variables.Where(variable => variable.Key.StartsWith("ConnectionStrings__", StringComparison.Ordinal)).ToList();

        Assert.Equal(10, connectionStrings.Count);
        Assert.All(connectionStrings, variable => Assert.Matches(ConnectionString(), (string)variable.Value!));
        Assert.All(variables.Except(connectionStrings), variable => Assert.DoesNotMatch(Secret(), (string)variable.Value!));
    }

    [Fact]
    public async Task Every_expression_refers_to_something_that_is_in_the_manifest()
    {
        var manifest = await Manifest.OfAppHostAsync();
        var root = JsonNode.Parse(manifest)!["resources"]!;
        var expressions = Expression().Matches(manifest).Select(match => match.Groups[1].Value).Distinct().ToList();

        Assert.True(expressions.Count > 20);
        Assert.All(expressions, expression =>
        {
            var found = expression.Split('.').Aggregate((JsonNode?)root, (node, member) => member is "host" or "port" ? node?["targetPort"] : node?[member]);
            Assert.True(found is not null || expression.EndsWith(".inputs.value", StringComparison.Ordinal), expression);
        });
    }

    [Fact]
    public async Task PostgreSQL_keeps_its_data_below_its_volume()
    {
        var postgres = (await ResourcesAsync())["postgres"];

        Assert.StartsWith((string)postgres["volumes"]![0]!["target"]! + "/", (string)postgres["env"]!["PGDATA"]!, StringComparison.Ordinal);
        Assert.Equal("{postgres-password.value}", (string)postgres["env"]!["POSTGRES_PASSWORD"]!);
    }

    [Fact]
    public async Task Redis_takes_its_password_from_the_environment_in_a_shell()
    {
        var redis = (await ResourcesAsync())["redis"];

        Assert.Equal("/bin/sh", (string)redis["entrypoint"]!);
        Assert.Equal(["-c", "redis-server --requirepass $REDIS_PASSWORD --save 60 1"], redis["args"]!.AsArray().Select(argument => (string)argument!));
        Assert.Equal("{redis-password.value}", (string)redis["env"]!["REDIS_PASSWORD"]!);
    }

    [Fact]
    public async Task Arguments_and_volume_names_hold_no_expression_nothing_is_null_and_no_folder_is_mounted()
    {
        var manifest = await Manifest.OfAppHostAsync();
        var resources = Manifest.Resources(manifest).Select(resource => resource.Value!).ToList();
        var verbatim = resources.SelectMany(resource => resource["args"]?.AsArray() ?? []).Select(argument => (string)argument!)
            .Concat(resources.SelectMany(resource => resource["volumes"]?.AsArray() ?? []).Select(volume => (string)volume!["name"]!)).ToList();

        Assert.Equal(6, verbatim.Count);
        Assert.All(verbatim, text => Assert.DoesNotContain('{', text));
        Assert.DoesNotContain("null", manifest, StringComparison.Ordinal);
        Assert.DoesNotContain("bindMounts", manifest, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyDictionary<string, JsonNode>> ResourcesAsync() =>
        Manifest.Resources(await Manifest.OfAppHostAsync()).ToDictionary(resource => resource.Key, resource => resource.Value!);

    private static bool Runs(JsonNode resource) => (string)resource["type"]! is "container.v0" or "project.v0";

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Bindings(JsonNode resource) => resource["bindings"]?.AsObject() ?? [];

    [GeneratedRegex("^[a-z][a-z0-9-]*$")]
    private static partial Regex Name();

    [GeneratedRegex("^(ConnectionString|POSTGRES_PASSWORD|MSSQL_SA_PASSWORD)")]
    private static partial Regex ProtectedName();

    [GeneratedRegex("[\"&<>\r\n]|[^\u0000-\u00ff]")]
    private static partial Regex Troublesome();

    [GeneratedRegex(@"^\{[a-z-]+\.connectionString\}$")]
    private static partial Regex ConnectionString();

    [GeneratedRegex("(password|key)", RegexOptions.IgnoreCase)]
    private static partial Regex Secret();

    [GeneratedRegex(@"\{([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)\}")]
    private static partial Regex Expression();
}
