using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Terminal;
using OpenHands.Hosting.Testing;

namespace Aspire.Hosting;

/// <summary>An application that can be run: by the embedded host, as processes of this machine.</summary>
public sealed class DistributedApplication : IHost, IAsyncDisposable
{
    private readonly IHost _host;
    private readonly EntryPointInvocation? _test;
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal DistributedApplication(IHost host, EntryPointInvocation? test)
    {
        _host = host;
        _test = test;
    }

    /// <inheritdoc/>
    public IServiceProvider Services => _host.Services;

    /// <summary>Tells what the resources do.</summary>
    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();

    /// <summary>Begins the description of an application.</summary>
    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);

    /// <summary>Begins the description of an application; the arguments are configuration.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => CreateBuilder(new DistributedApplicationOptions { Args = args });

    /// <summary>Begins the description of an application.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DistributedApplicationBuilder(options, EntryPointInvocation.Current);
    }

    /// <summary>Runs the application until it is told to stop; sets the process's exit code.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs the application until it is told to stop; sets the process's exit code.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        if (_test is not null)
        {
            // The test starts and stops the application itself; the entry point only must not return before.
            await _disposed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        Environment.ExitCode = await Services.GetRequiredService<TerminalSession>().RunAsync(_host, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts every resource; returns before they are healthy.</summary>
    /// <exception cref="DistributedApplicationException">A parameter has no value, or a port is taken.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default) => _host.StartAsync(cancellationToken);

    /// <summary>Stops every resource, in order; returns when nothing is left.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Services.GetRequiredService<ApplicationOrchestrator>().StopAsync(CancellationToken.None).ConfigureAwait(false);
        await ((IAsyncDisposable)_host).DisposeAsync().ConfigureAwait(false);
        _disposed.TrySetResult();
    }
}
