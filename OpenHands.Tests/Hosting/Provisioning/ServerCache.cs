using OpenHands.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Servers;

[assembly: AssemblyFixture(typeof(ServerCache))]

namespace OpenHands.Tests.Hosting.Provisioning;

/// <summary>An empty cache directory that the tests of this run fill once, whatever is installed on the machine.</summary>
public sealed class ServerCache : IDisposable
{
    private readonly TestFolder _folder = new();

    public string Path => _folder["cache"];

    internal Task<ServerBinaries> ProvisionAsync(ServerProduct product, Action<string>? progress = null) => ServerBinaries.FindAsync(
        product, ServerSource.Parse("provisioned", product.SourceKey), Path, null, progress ?? (_ => { }), TestContext.Current.CancellationToken);

    public void Dispose() => _folder.Dispose();
}
