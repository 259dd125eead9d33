using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.WebClient;

public sealed class WebClientApiTests
{
    private const string Path = "/api/v1/web-client/config";

    [Fact]
    public async Task Out_of_the_box_the_front_end_runs_without_login_and_analytics()
    {
        await using var api = await ApiHost.StartAsync([]);

        var config = await api.Client.GetStringAsync(Path, TestContext.Current.CancellationToken);

        Assert.Equal(
            """{"app_mode":"oss","posthog_client_key":null,"feature_flags":{"enable_billing":false,"hide_llm_settings":false,"enable_jira":false,"enable_jira_dc":false,"enable_linear":false},"providers_configured":[],"maintenance_start_time":null,"auth_url":null,"recaptcha_site_key":null,"faulty_models":[],"error_message":null,"updated_at":"2026-01-01T00:00:00Z","github_app_slug":null}""",
            config);
    }

    [Fact]
    public async Task Everything_in_it_but_the_mode_is_configured()
    {
        await using var api = await ApiHost.StartAsync(
        [
            "WebClient:PosthogClientKey=phc_1", "WebClient:FeatureFlags:EnableBilling=true", "WebClient:FeatureFlags:HideLlmSettings=true",
            "WebClient:FeatureFlags:EnableJira=true", "WebClient:FeatureFlags:EnableJiraDc=true", "WebClient:FeatureFlags:EnableLinear=true",
            "WebClient:ProvidersConfigured:0=github", "WebClient:ProvidersConfigured:1=forgejo",
            "WebClient:MaintenanceStartTime=2027-03-04T05:06:07+02:00", "WebClient:AuthUrl=id.example.org",
            "WebClient:RecaptchaSiteKey=site", "WebClient:FaultyModels:0=openai/x", "WebClient:ErrorMessage=Hello",
            "WebClient:UpdatedAt=2027-01-01T00:00:00Z", "WebClient:GithubAppSlug=slug",
        ]);

        var config = JsonNode.Parse(await api.Client.GetStringAsync(Path, TestContext.Current.CancellationToken));

        var expected = JsonNode.Parse("""
            {"app_mode":"oss","posthog_client_key":"phc_1",
             "feature_flags":{"enable_billing":true,"hide_llm_settings":true,"enable_jira":true,"enable_jira_dc":true,"enable_linear":true},
             "providers_configured":["github","forgejo"],"maintenance_start_time":"2027-03-04T03:06:07Z","auth_url":"id.example.org",
             "recaptcha_site_key":"site","faulty_models":["openai/x"],"error_message":"Hello","updated_at":"2027-01-01T00:00:00Z",
             "github_app_slug":"slug"}
            """);
        Assert.True(JsonNode.DeepEquals(expected, config), config?.ToJsonString());
    }

    [Fact]
    public async Task A_provider_that_the_front_end_does_not_know_stops_the_start()
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync(["WebClient:ProvidersConfigured:0=sourceforge"]));
        Assert.Contains("WebClient:ProvidersConfigured", refused.Message);
    }
}
