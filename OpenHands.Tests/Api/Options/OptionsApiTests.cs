using System.Net.Http.Json;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Options;

public sealed class OptionsApiTests
{
    [Fact]
    public async Task The_shipped_models_are_sorted_unique_and_hold_the_front_ends_own_choices()
    {
        await using var api = await ApiHost.StartAsync([]);

        var models = await GetAsync(api, "models");

        Assert.Contains("openhands/claude-opus-4-5-20251101", models);
        Assert.Contains("anthropic/claude-sonnet-4-5-20250929", models);
        Assert.Equal(models.Distinct().Order(StringComparer.Ordinal), models);
        Assert.All(models, model => Assert.Matches("^[a-z]+(/[A-Za-z0-9._-]+)+$", model));
    }

    [Fact]
    public async Task Configured_models_replace_the_shipped_ones()
    {
        await using var api = await ApiHost.StartAsync(["Llm:Models:0=z/last", "Llm:Models:1= a/first ", "Llm:Models:2=z/last", "Llm:Models:3="]);
        Assert.Equal(["a/first", "z/last"], await GetAsync(api, "models"));
    }

    [Fact]
    public async Task Agents_and_analyzers_are_those_that_the_platform_runs()
    {
        await using var api = await ApiHost.StartAsync([]);
        Assert.Equal(["CodeActAgent"], await GetAsync(api, "agents"));
        Assert.Equal(["llm"], await GetAsync(api, "security-analyzers"));
    }

    private static async Task<string[]> GetAsync(ApiHost api, string list) =>
        (await api.Client.GetFromJsonAsync<string[]>($"/api/options/{list}", TestContext.Current.CancellationToken))!;
}
