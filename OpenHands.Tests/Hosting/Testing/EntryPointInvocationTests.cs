using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Testing;

namespace OpenHands.Tests.Hosting.Testing;

/// <summary>A test gets an AppHost's application from the AppHost's own entry point; nothing is started here.</summary>
public sealed class EntryPointInvocationTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_entry_point_throws_reaches_the_test()
    {
        var exception = await Assert.ThrowsAsync<DistributedApplicationException>(() => CreateAsync("--operation=deploy"));
        Assert.Contains("deploy", exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => CreateAsync("--Replicas:Api=-1"));
    }

    [Fact]
    public async Task An_assembly_without_entry_point_is_told()
    {
        using var invocation = new EntryPointInvocation(typeof(DistributedApplication).Assembly, []);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => invocation.DescribeAsync(Token));
        Assert.Equal("OpenHands.Hosting has no entry point.", exception.Message);
    }

    [Fact]
    public async Task A_builder_that_is_disposed_unbuilt_ends_the_entry_point()
    {
        var builder = await CreateAsync();
        await builder.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => builder.BuildAsync(Token));
    }

    [Fact]
    public async Task A_builder_that_nobody_waits_for_any_more_is_given_up()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>([], source.Token));
    }

    [Fact]
    public async Task Two_applications_can_be_described_at_once()
    {
        var builders = await Task.WhenAll(CreateAsync("--Replicas:Api=2"), CreateAsync("--Replicas:Api=3"));
        await using var first = builders[0];
        await using var second = builders[1];
        Assert.Equal([2, 3], builders.Select(builder => builder.Resources.Single(resource => resource.Name == "api").GetReplicaCount()));
        Assert.Empty(first.Resources.Intersect(second.Resources));
    }

    [Fact]
    public async Task Two_applications_can_be_built_at_once()
    {
        var builders = await Task.WhenAll(CreateAsync(), CreateAsync());
        await using var second = await builders[1].BuildAsync(Token);
        await using var first = await builders[0].BuildAsync(Token);
        Assert.Same(builders[0].Resources, first.Services.GetRequiredService<DistributedApplicationModel>().Resources);
        Assert.Same(builders[1].Resources, second.Services.GetRequiredService<DistributedApplicationModel>().Resources);
        Assert.NotSame(first.ResourceNotifications, second.ResourceNotifications);
    }

    [Fact]
    public async Task What_the_test_changes_is_what_is_built()
    {
        await using var builder = await CreateAsync();
        builder.AddParameter("added-by-the-test");
        builder.Services.AddSingleton(this);
        await using var application = await builder.BuildAsync(Token);
        Assert.Same(this, application.Services.GetRequiredService<EntryPointInvocationTests>());
        Assert.Contains(application.Services.GetRequiredService<DistributedApplicationModel>().Resources, resource => resource.Name == "added-by-the-test");
    }

    [Fact]
    public async Task An_application_under_test_runs_in_development()
    {
        await using var builder = await CreateAsync();
        Assert.Equal(Environments.Development, builder.Environment.EnvironmentName);
        Assert.True(builder.ExecutionContext.IsRunMode);
        Assert.Equal(Projects.OpenHands_AppHost.ProjectPath, builder.AppHostDirectory);
        Assert.Same(typeof(Projects.OpenHands_AppHost).Assembly, builder.AppHostAssembly);
    }

    [Fact]
    public async Task An_application_that_was_not_started_has_no_addresses()
    {
        await using var builder = await CreateAsync();
        await using var application = await builder.BuildAsync(Token);
        Assert.Throws<InvalidOperationException>(() => application.GetEndpoint("api"));
        Assert.Throws<ArgumentException>(() => application.GetEndpoint("api", "https"));
        Assert.Throws<ArgumentException>(() => application.CreateHttpClient("nobody"));
        await Assert.ThrowsAsync<ArgumentException>(() => application.GetConnectionStringAsync("api", Token).AsTask());
    }

    private static Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] args) =>
        DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(args, Token);
}
