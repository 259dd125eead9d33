using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Net.Http.Headers;

namespace OpenHands.Tests.ServiceDefaults;

public sealed class HealthEndpointTests
{
    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task A_healthy_service_says_so_in_every_environment(string environment)
    {
        await using var service = await ProbedService.StartAsync(environment: environment);

        var (status, body) = await service.ProbeAsync("/health");

        Assert.Equal(200, status);
        Assert.Equal("Healthy", body.GetProperty("status").GetString());
        var self = body.GetProperty("checks").GetProperty("self");
        Assert.Equal("Healthy", self.GetProperty("status").GetString());
        Assert.True(self.GetProperty("duration_ms").GetDouble() >= 0);
    }

    [Fact]
    public async Task A_failing_check_makes_the_service_unready_but_not_dead()
    {
        await using var service = await ProbedService.StartAsync("database", ScriptedCheck.Failing());

        var (health, body) = await service.ProbeAsync("/health");
        var (alive, aliveBody) = await service.ProbeAsync("/alive");

        Assert.Equal(503, health);
        Assert.Equal("Unhealthy", body.GetProperty("status").GetString());
        Assert.Equal(200, alive);
        Assert.Equal(["self"], aliveBody.GetProperty("checks").EnumerateObject().Select(check => check.Name));
    }

    [Theory]
    [InlineData("StackExchange.Redis")]
    [InlineData("StackExchange.Redis_cache")]
    public async Task A_lost_Redis_is_degraded_and_the_service_stays_ready(string name)
    {
        await using var service = await ProbedService.StartAsync(builder => builder.Services.AddHealthChecks()
            .AddCheck(name, ScriptedCheck.Failing(), HealthStatus.Unhealthy));

        var (status, body) = await service.ProbeAsync("/health");

        Assert.Equal(200, status);
        Assert.Equal("Degraded", body.GetProperty("status").GetString());
        Assert.Equal("Degraded", body.GetProperty("checks").GetProperty(name).GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_answer_never_carries_the_text_of_an_exception()
    {
        const string Secret = "Host=10.1.2.3;Password=hunter2";
        var thrown = new ScriptedCheck(_ => throw new InvalidOperationException(Secret));
        await using var service = await ProbedService.StartAsync(builder => builder.Services.AddHealthChecks()
            .AddCheck("throws", thrown)
            .AddCheck("reports", ScriptedCheck.Failing(Secret, new InvalidOperationException(Secret))));

        using var response = await service.Http.GetAsync("/health", TestContext.Current.CancellationToken);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("\"throws\"", body);
        Assert.Contains("\"reports\"", body);
        Assert.DoesNotContain("hunter2", body);
        Assert.DoesNotContain("10.1.2.3", body);
    }

    [Fact]
    public async Task A_description_without_an_exception_is_shown()
    {
        await using var service = await ProbedService.StartAsync("schema", ScriptedCheck.Failing("Two migrations are pending."));

        var (_, body) = await service.ProbeAsync("/health");

        var schema = body.GetProperty("checks").GetProperty("schema");
        Assert.Equal("Two migrations are pending.", schema.GetProperty("description").GetString());
    }

    [Fact]
    public async Task Probes_are_answered_to_everybody_and_stored_by_nobody()
    {
        await using var service = await ProbedService.StartAsync(
            builder => builder.Services.AddAuthentication().Services.AddAuthorizationBuilder()
                .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAssertion(_ => false).Build()),
            app => app.UseAuthorization());

        foreach (var path in new[] { "/health", "/alive" })
        {
            using var response = await service.Http.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("no-store", response.Headers.NonValidated[HeaderNames.CacheControl].ToString());

            using var head = new HttpRequestMessage(HttpMethod.Head, path);
            using var headAnswer = await service.Http.SendAsync(head, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, headAnswer.StatusCode);
        }
    }

    [Fact]
    public async Task Probes_are_no_part_of_the_API_description()
    {
        await using var service = await ProbedService.StartAsync();

        var endpoints = service.Services.GetRequiredService<EndpointDataSource>().Endpoints;

        Assert.Equal(2, endpoints.Count);
        Assert.All(endpoints, endpoint =>
            Assert.NotNull(endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>()));
    }
}
