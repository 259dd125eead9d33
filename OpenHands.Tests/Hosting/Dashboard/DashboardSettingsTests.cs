using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using OpenHands.Hosting.Dashboard;

namespace OpenHands.Tests.Hosting.Dashboard;

/// <summary>What the command line says about the dashboard, and what is refused with what to do.</summary>
public sealed class DashboardSettingsTests
{
    [Theory]
    [InlineData("dotnet /opt/aspire/Aspire.Dashboard.dll", "dotnet|/opt/aspire/Aspire.Dashboard.dll")]
    [InlineData("  \"/opt/my dashboard/run\"   --flag \"\" ", "/opt/my dashboard/run|--flag|")]
    public void A_command_is_taken_apart_at_its_spaces_and_quotes_keep_them(string command, string expected)
    {
        var program = DashboardProgram.Parse(command);
        Assert.Equal(expected.Split('|'), program.Arguments.Prepend(program.FileName));
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("\"/opt/never closed")]
    public void A_command_that_names_no_program_is_refused(string command) =>
        Assert.Contains("--Dashboard:Command", Assert.Throws<DistributedApplicationException>(() => DashboardProgram.Parse(command)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_dashboard_that_runs_already_needs_the_key_it_was_started_with()
    {
        var refused = Assert.Throws<DistributedApplicationException>(() => Settings("--Dashboard:Url=http://localhost:18888").ForeignResourceServiceApiKey);
        Assert.Contains("--Dashboard:ResourceServiceApiKey", refused.Message, StringComparison.Ordinal);
        Assert.Contains("DASHBOARD__RESOURCESERVICECLIENT__APIKEY", refused.Message, StringComparison.Ordinal);
        Assert.Equal("k", Settings("--Dashboard:ResourceServiceApiKey=k").ForeignResourceServiceApiKey);
    }

    [Theory]
    [InlineData("http://192.0.2.1:18891")]
    [InlineData("https://localhost:18891")]
    [InlineData("rubbish")]
    public void The_resource_service_is_served_on_this_machine_only(string url) =>
        Assert.Contains(url, Assert.Throws<DistributedApplicationException>(
            () => Settings($"--ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL={url}").ForeignResourceServiceUrl).Message, StringComparison.Ordinal);

    [Fact]
    public void A_dashboard_is_told_its_addresses_and_keys_under_the_names_that_Aspires_reads()
    {
        var addresses = new DashboardAddresses
        {
            Url = "http://localhost:1",
            OtlpGrpcUrl = "http://localhost:2",
            OtlpHttpUrl = "http://localhost:3",
            ResourceServiceUrl = "http://localhost:4",
        };
        var environment = addresses.Environment;
        Assert.Equal("http://localhost:1", environment["ASPNETCORE_URLS"]);
        Assert.Equal("http://localhost:2", environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"]);
        Assert.Equal("http://localhost:3", environment["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"]);
        Assert.Equal("http://localhost:4", environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"]);
        Assert.Equal("http://localhost:4", environment["DOTNET_RESOURCE_SERVICE_ENDPOINT_URL"]);
        Assert.Equal("ApiKey", environment["DASHBOARD__OTLP__AUTHMODE"]);
        Assert.Equal("ApiKey", environment["DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE"]);
        Assert.Equal("BrowserToken", environment["DASHBOARD__FRONTEND__AUTHMODE"]);
        var secrets = new[] { environment["DASHBOARD__OTLP__PRIMARYAPIKEY"], environment["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"], environment["DASHBOARD__FRONTEND__BROWSERTOKEN"] };
        Assert.Equal(3, secrets.Distinct().Count());
        Assert.All(secrets, secret => Assert.Equal(32, secret!.Length));
        Assert.Equal($"http://localhost:1/login?t={secrets[2]}", addresses.LoginUrl);
    }

    private static DashboardSettings Settings(params string[] args) =>
        new(new ConfigurationBuilder().AddCommandLine(args).Build(), wanted: true);
}
