using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Hosting.Publishing.Compose;
using OpenHands.Tests.Hosting.Servers;
using YamlDotNet.Serialization;

namespace OpenHands.Tests.Hosting.Publishing.Compose;

/// <summary>The file for Docker Compose: what is checked in is what the publisher writes, and it has the architecture's picture.</summary>
public sealed class ComposePublisherTests
{
    private static readonly string Folder = Path.Combine(Manifest.Checkout, "deploy/compose");
    private static readonly string CheckedIn = File.ReadAllText(Path.Combine(Folder, "docker-compose.yml"));

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_file_that_is_checked_in_is_what_the_publisher_writes() =>
        Assert.Equal(CheckedIn, await OfAppHostAsync(await ComposeAdditions.ReadAsync(Folder, Cancelled)));

    [Fact]
    public void It_has_the_ports_and_volumes_of_the_architecture()
    {
        var file = Parsed();
        var services = Members(file["services"]);

        Assert.Equal(["api", "migrations", "postgres", "redis", "worker"], services.Keys.Order());
        Assert.Equal(["filestore", "postgres_data", "redis_data", "workspace"], Members(file["volumes"]).Keys.Order());
        Assert.Equal(
            ["127.0.0.1:3000:8080", "127.0.0.1:5432:5432", "127.0.0.1:6379:6379"],
            services.Values.SelectMany(service => Texts(Members(service), "ports")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_password_is_in_it_and_a_missing_one_stops_Compose_with_a_message()
    {
        var variables = System.Text.RegularExpressions.Regex.Matches(CheckedIn, @"\$\{(\w+):\?set it in \.env[^}]+\}").Select(match => match.Groups[1].Value).ToHashSet();

        Assert.Equal(["POSTGRES_APP_PASSWORD", "POSTGRES_PASSWORD", "POSTGRES_SYSTEM_PASSWORD", "REDIS_PASSWORD", "SECRETS_KEY"], variables.Order());
        Assert.DoesNotContain("Password=;", CheckedIn, StringComparison.Ordinal);
        Assert.DoesNotContain("{secrets-key", CheckedIn, StringComparison.Ordinal);
    }

    [Fact]
    public void Migrations_end_before_the_others_start_and_a_dollar_of_a_command_is_not_one_of_Compose()
    {
        var services = Members(Parsed()["services"]);
        var condition = Members(Members(Members(services["api"])["depends_on"])["migrations"])["condition"];

        Assert.Equal("service_completed_successfully", condition);
        Assert.Equal(["migrate"], Texts(Members(services["migrations"]), "command"));
        Assert.Contains("--requirepass $$REDIS_PASSWORD", Texts(Members(services["redis"]), "command")[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"n","images":"i","tag":"t","services":{"nosuch":{}}}""", "additions for 'nosuch'")]
    [InlineData("""{"name":"n","images":"i","tag":"t","services":{"openhands":{}}}""", "additions for 'openhands'")]
    [InlineData("""{"name":"n","images":"i","tag":"t","services":{"api":{"volumes":["./src:/src"]}}}""", "'./src:/src' of service 'api'")]
    [InlineData("""{"name":"n","images":"i","tag":"t","services":{}}""", "no name for the volume of service 'postgres' at /var/lib/postgresql/data")]
    public async Task Additions_that_do_not_fit_the_model_are_refused(string additions, string message)
    {
        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(() => OfAppHostAsync(ComposeAdditions.Parse(additions)));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_small_file_or_with_a_wrong_one_publishing_says_so_in_one_line()
    {
        using var folder = new TestFolder();
        var without = await AppHostProcess.RunAsync(folder.Path, "--publisher", "compose");
        await File.WriteAllTextAsync(folder["ports-and-volumes.json"], """{"name":"n","image":"i"}""", Cancelled);
        var wrong = await AppHostProcess.RunAsync(folder.Path, "--publisher", "compose");

        Assert.Equal((1, 1), (without.ExitCode, wrong.ExitCode));
        Assert.Contains($"there is no {folder["ports-and-volumes.json"]}", Assert.Single(without.Errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains("cannot be understood", Assert.Single(wrong.Errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.False(File.Exists(folder["docker-compose.yml"]));
    }

    [Fact]
    public async Task The_command_writes_the_file_beside_the_small_one()
    {
        using var folder = new TestFolder();
        File.Copy(Path.Combine(Folder, ComposeAdditions.FileName), folder[ComposeAdditions.FileName]);

        var run = await AppHostProcess.RunAsync(folder.Path, "--operation", "publish", "--publisher", "compose");

        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        Assert.Equal(CheckedIn, await File.ReadAllTextAsync(folder["docker-compose.yml"], Cancelled));
    }

    private static async Task<string> OfAppHostAsync(ComposeAdditions additions)
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(["--publisher", "compose"], Cancelled);
        await using var application = await builder.BuildAsync(Cancelled);
        return await application.Services.GetRequiredService<ComposePublisher>().WriteAsync(additions, Cancelled);
    }

    private static Dictionary<string, object> Parsed() => Members(new DeserializerBuilder().Build().Deserialize(CheckedIn)!);

    private static Dictionary<string, object> Members(object mapping) =>
        ((Dictionary<object, object>)mapping).ToDictionary(member => (string)member.Key, member => member.Value);

    private static IReadOnlyList<string> Texts(Dictionary<string, object> service, string member) =>
        service.TryGetValue(member, out var values) ? [.. ((List<object>)values).Cast<string>()] : [];
}
