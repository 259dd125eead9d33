using Aspire.Hosting;
using Aspire.Hosting.Testing;
using OpenHands.Tests.Application;

[assembly: AssemblyFixture(typeof(ApplicationFixture))]

namespace OpenHands.Tests.Application;

/// <summary>The whole application, started once for all tests that only use it: PostgreSQL, Redis, migrations, API and worker.</summary>
public sealed class ApplicationFixture : IAsyncDisposable
{
    private readonly Lazy<Task<DistributedApplication>> _application = new(() => StartAsync());

    /// <summary>The running application, healthy.</summary>
    public Task<DistributedApplication> ApplicationAsync() => _application.Value;

    /// <summary>Starts an application of one's own, with throw-away data unless the arguments name a directory.</summary>
    public static async Task<DistributedApplication> StartAsync(params string[] args)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.OpenHands_AppHost>(args);
        var application = await builder.BuildAsync();
        try
        {
            await application.StartAsync();
            foreach (var name in new[] { "api", "worker" })
            {
                await application.ResourceNotifications.WaitForResourceHealthyAsync(name).WaitAsync(Patience);
            }

            return application;
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application.IsValueCreated && _application.Value.IsCompletedSuccessfully)
        {
            await (await _application.Value).DisposeAsync();
        }
    }

    /// <summary>Includes fetching servers on a machine that has none.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(4);
}
