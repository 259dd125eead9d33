using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace OpenHands.Tests.Hosting.Building;

/// <summary>What cannot be meant is refused when it is said, not when it runs.</summary>
public sealed class ModelRulesTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder();

    [Fact]
    public void Two_resources_cannot_have_one_name_in_whatever_case()
    {
        _builder.AddRedis("redis");
        var exception = Assert.Throws<DistributedApplicationException>(() => _builder.AddParameter("Redis"));
        Assert.Contains("'Redis'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_endpoints_of_a_resource_cannot_have_one_name()
    {
        var api = Api().WithHttpEndpoint();
        Assert.Throws<DistributedApplicationException>(() => api.WithHttpEndpoint(port: 8080));
        Assert.Throws<DistributedApplicationException>(() => api.WithEndpoint(name: "HTTP"));
        Assert.Single(api.WithHttpEndpoint(name: "admin").Resource.Annotations.OfType<EndpointAnnotation>(), endpoint => endpoint.Name == "admin");
    }

    [Fact]
    public void Two_health_checks_of_a_resource_cannot_have_one_key()
    {
        var api = Api().WithHttpEndpoint().WithHttpHealthCheck("/health");
        Assert.Throws<DistributedApplicationException>(() => api.WithHttpHealthCheck("/health"));
        Assert.Equal(
            ["api_http_/health_200_check", "api_http_/ready_204_check"],
            api.WithHttpHealthCheck("/ready", 204).Resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key));
    }

    [Fact]
    public void A_health_check_needs_an_endpoint()
    {
        var exception = Assert.Throws<DistributedApplicationException>(() => Api().WithHttpHealthCheck("/health"));
        Assert.Contains("'api' has no endpoint https or http", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_of_replicas_is_not_negative_and_the_last_one_said_counts()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Api().WithReplicas(-1));
        var worker = _builder.AddProject<Projects.OpenHands_Worker>("worker", options => options.ExcludeLaunchProfile = true);
        Assert.Equal(1, worker.Resource.GetReplicaCount());
        Assert.Equal(3, worker.WithReplicas(2).WithReplicas(3).Resource.GetReplicaCount());
    }

    [Fact]
    public void Launch_profiles_which_the_embedded_host_does_not_read_must_be_excluded() =>
        Assert.Throws<DistributedApplicationException>(() => _builder.AddProject<Projects.OpenHands_Api>("api", _ => { }));

    [Fact]
    public void References_must_say_that_they_inject_no_connection_properties()
    {
        var exception = Assert.Throws<DistributedApplicationException>(() => Api().WithReference(_builder.AddRedis("redis")));
        Assert.Contains("WithReferenceEnvironment", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_operation_that_is_neither_run_nor_publish_is_refused_in_a_test()
    {
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(["--operation=deploy"], TestContext.Current.CancellationToken));
        Assert.Contains("run or publish", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Persistence_that_is_said_twice_counts_once()
    {
        var redis = _builder.AddRedis("redis").WithDataVolume().WithPersistence(TimeSpan.FromSeconds(30), 5);
        Assert.Equal(["--save", "30", "5"], RedisBuilderExtensions.PersistenceArguments(redis.Resource));
    }

    [Fact]
    public void A_server_without_a_password_of_its_own_gets_a_generated_one()
    {
        _builder.AddRedis("redis");
        _builder.AddPostgres("postgres");
        Assert.Equal(["redis-password", "redis", "postgres-password", "postgres"], _builder.Resources.Select(resource => resource.Name));
        Assert.All(_builder.Resources.OfType<ParameterResource>(), parameter => Assert.True(parameter.Secret));
    }

    private IResourceBuilder<ProjectResource> Api() => _builder.AddProject<Projects.OpenHands_Api>("api", options => options.ExcludeLaunchProfile = true);
}
