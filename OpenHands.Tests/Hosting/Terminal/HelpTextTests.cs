using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using OpenHands.Hosting.Terminal;

namespace OpenHands.Tests.Hosting.Terminal;

public sealed class HelpTextTests
{
    [Fact]
    public async Task Every_option_of_the_application_is_listed_once_and_no_secret()
    {
        await using var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(
            ["--Parameters:redis-password=n0t-to-be-shown"], TestContext.Current.CancellationToken);
        var lines = HelpText.Lines("OpenHands.AppHost", new DistributedApplicationModel(builder.Resources), builder.Configuration).ToList();
        foreach (var option in new[]
        {
            "--Ports:Api=<", "--Ports:Postgres=<", "--Ports:Redis=<", "--Ports:Dashboard=<", "--Replicas:Api=<", "--Replicas:Worker=<", "--Data:Directory=<",
            "--Parameters:postgres-password=<", "--Parameters:redis-password=<", "--Parameters:secrets-key=<", "--Postgres:Source=<", "--Redis:Source=<", "--help ",
        })
        {
            Assert.Single(lines, line => line.StartsWith("  " + option, StringComparison.Ordinal));
        }

        Assert.DoesNotContain(lines, line => line.Contains("n0t-to-be-shown", StringComparison.Ordinal));
    }

    [Fact]
    public void A_parameter_without_default_is_required()
    {
        var builder = DistributedApplication.CreateBuilder();
        builder.AddParameter("region").WithDescription("where it runs");
        builder.AddParameter("token", new GenerateParameterDefault(), secret: true, persist: true);
        var lines = HelpText.Lines("Sample.AppHost", new DistributedApplicationModel(builder.Resources), builder.Configuration).ToList();
        Assert.Contains(lines, line => line.Trim().StartsWith("--Parameters:region=<value> ", StringComparison.Ordinal) && line.EndsWith("where it runs (required)", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Trim().StartsWith("--Parameters:token=<secret> ", StringComparison.Ordinal) && line.Contains("generated once", StringComparison.Ordinal));
        Assert.Contains("Usage: dotnet run --project Sample.AppHost [-- option…]", lines);
    }
}
