using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;

namespace OpenHands.Tests.Hosting.Recorded;

/// <summary>The AppHost's own application, described and not started.</summary>
internal sealed class DescribedApplication : IAsyncDisposable
{
    private readonly IDistributedApplicationTestingBuilder _builder;

    private DescribedApplication(IDistributedApplicationTestingBuilder builder) => _builder = builder;

    public IEnumerable<IResource> Resources => _builder.Resources;

    public Aspire.Hosting.DistributedApplicationExecutionContext ExecutionContext => _builder.ExecutionContext;

    public static async Task<DescribedApplication> CreateAsync(params string[] args) =>
        new(await DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(args, TestContext.Current.CancellationToken));

    public ValueTask DisposeAsync() => _builder.DisposeAsync();
}
