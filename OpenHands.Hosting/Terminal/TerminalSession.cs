using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Dashboard;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Publishing;
using OpenHands.Hosting.Publishing.Compose;

namespace OpenHands.Hosting.Terminal;

/// <summary>
/// The application as it shows itself in a terminal: a banner, a line for each change of a resource's state, what the
/// resources write with their names in front, and a last line once everything is healthy.
/// </summary>
internal sealed partial class TerminalSession(
    CommandLine commandLine, IConfiguration configuration, IHostEnvironment environment, PublishOptions publishing,
    ManifestPublisher manifest, ComposePublisher compose, DistributedApplicationModel model, ApplicationOrchestrator orchestrator, DashboardHost dashboard, ResourceNotificationService notifications, ResourceLoggerService logs)
{
    private const int Failed = 1;
    private const int WrongUsage = 2;
    private readonly ConcurrentDictionary<string, string> _shown = new();
    private readonly Lock _lock = new();
    private string? _failure;
    private bool _announced;
    private bool _linked;

    private string ApplicationName => Dashboard.ApplicationName.Of(environment.ApplicationName).Value;

    /// <summary>Runs until told to stop, or until a resource fails for good; returns the exit code.</summary>
    public async Task<int> RunAsync(IHost host, CancellationToken cancellationToken)
    {
        if (commandLine.AsksForHelp)
        {
            foreach (var line in HelpText.Lines(environment.ApplicationName, model, configuration))
            {
                Console.Out.WriteLine(line);
            }

            return 0;
        }

        if (publishing.Mistake is not null)
        {
            Console.Error.WriteLine(publishing.Mistake);
            return WrongUsage;
        }

        return publishing.Publishes
            ? await PublishAsync(cancellationToken).ConfigureAwait(false)
            : await RunVisiblyAsync(host, cancellationToken).ConfigureAwait(false);
    }

    private async Task<int> PublishAsync(CancellationToken cancellationToken)
    {
        try
        {
            publishing.RequireKnownPublisher();
            var path = publishing.AsksForCompose
                ? await compose.PublishAsync(cancellationToken).ConfigureAwait(false)
                : await manifest.PublishAsync(cancellationToken).ConfigureAwait(false);
            Write($"{ApplicationName} is published: {path}");
            return 0;
        }
        catch (DistributedApplicationException exception)
        {
            Console.Error.WriteLine($"{ApplicationName} cannot be published: {exception.Message}");
            return Failed;
        }
    }

    private async Task<int> RunVisiblyAsync(IHost host, CancellationToken cancellationToken)
    {
        Write($"{ApplicationName} runs under the embedded host (OpenHands.Hosting, not Aspire itself). Stop it with Ctrl+C.");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var lifetime = (IHostApplicationLifetime)host.Services.GetService(typeof(IHostApplicationLifetime))!;
        var following = FollowStatesAsync(lifetime, ended.Token);
        try
        {
            await host.StartAsync(cancellationToken).ConfigureAwait(false);
            if (dashboard is { Runner: null, Link: { } link })
            {
                Write($"Dashboard: {link}");
            }

            var outputs = orchestrator.Runners.Append(dashboard.Runner).OfType<IResourceRunner>().Select(runner => FollowOutputAsync(runner, ended.Token)).ToList();
            await host.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
            await ended.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll([following, .. outputs]).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is DistributedApplicationException or InvalidOperationException)
        {
            _failure = exception.Message;
            await host.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (_failure is null)
        {
            Write($"{ApplicationName} has stopped.");
            return 0;
        }

        Console.Error.WriteLine($"{ApplicationName} cannot run: {_failure}");
        return Failed;
    }

    private async Task FollowOutputAsync(IResourceRunner runner, CancellationToken cancellationToken)
    {
        var replicas = orchestrator.Runners.Count(other => other.Resource == runner.Resource);
        var name = replicas > 1 ? runner.ResourceId : runner.Resource.Name;
        try
        {
            await foreach (var line in logs.WatchAsync(runner.ResourceId, cancellationToken).ConfigureAwait(false))
            {
                Write($"[{name}] {line.Content}");
            }
        }
        catch (OperationCanceledException)
        {
            // The session ends.
        }
    }

    private async Task FollowStatesAsync(IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(cancellationToken).ConfigureAwait(false))
            {
                Show(change);
                if (change.Resource is DashboardResource)
                {
                    ShowDashboard(change.Snapshot);
                    continue;
                }

                if (change.Snapshot.Failure is { } failure && _failure is null)
                {
                    _failure = $"{change.Resource.Name} {failure}";
                    lifetime.StopApplication();
                }

                AnnounceWhenReady();
            }
        }
        catch (OperationCanceledException)
        {
            // The session ends.
        }
    }

    private void Show(ResourceEvent change)
    {
        if (change.Resource is ParameterResource or ConnectionStringResource || change.Snapshot.State is not { } state || state.Text == KnownResourceStates.NotStarted)
        {
            return;
        }

        var pending = change.Snapshot.HealthReports.Any(report => report.Status is null);
        var text = (state.Text, change.Snapshot.HealthStatus, change.Snapshot.ExitCode) switch
        {
            _ when pending => state.Text,
            (_, HealthStatus.Healthy, _) => $"{state.Text} (Healthy){Addresses(change)}",
            (_, { } health, _) => $"{state.Text} ({health}){Reason(change.Snapshot)}",
            (_, _, { } code) when code != 0 => $"{state.Text} (exit code {code})",
            _ => state.Text,
        };
        // Only a change of state makes a line: the reason of an unhealthy resource may be worded anew at every check.
        var key = $"{state.Text}/{(pending ? null : change.Snapshot.HealthStatus)}";
        if (_shown.TryGetValue(change.ResourceId, out var before) && before == key)
        {
            return;
        }

        _shown[change.ResourceId] = key;
        Write($"{change.ResourceId,-24} {text}");
    }

    private static string Addresses(ResourceEvent change)
    {
        var addresses = change.Resource.Annotations.OfType<EndpointAnnotation>()
            .Select(endpoint => endpoint.AllocatedEndpoint?.UriString).Where(address => address is not null).ToList();
        return addresses.Count == 0 ? "" : $" at {string.Join(", ", addresses)}";
    }

    private static string Reason(CustomResourceSnapshot snapshot) =>
        snapshot.HealthReports.Select(report => report.Description).FirstOrDefault(text => text is not null) is { } description ? $": {description}" : "";

    private void AnnounceWhenReady()
    {
        if (_announced || orchestrator.Runners.Count == 0 || !orchestrator.Runners.All(IsReady))
        {
            return;
        }

        _announced = true;
        var address = model.Resources.SelectMany(resource => resource.Annotations.OfType<EndpointAnnotation>())
            .FirstOrDefault(endpoint => endpoint.IsExternal)?.AllocatedEndpoint?.UriString;
        Write($"{ApplicationName} is ready: {address}");
    }

    /// <summary>The application goes on without its dashboard.</summary>
    private void ShowDashboard(CustomResourceSnapshot snapshot)
    {
        if (snapshot.Failure is { } failure)
        {
            Write($"The dashboard {failure}");
        }
        else if (snapshot.HealthStatus == HealthStatus.Healthy && !_linked)
        {
            _linked = true;
            Write($"Dashboard: {dashboard.Link}");
        }
    }

    private bool IsReady(IResourceRunner runner) =>
        notifications.TryGetCurrentState(runner.ResourceId, out var state)
        && (runner.RunsToCompletion
            ? state.Snapshot.State?.Text == KnownResourceStates.Finished
            : state.Snapshot.HealthStatus == HealthStatus.Healthy);

    private void Write(string line)
    {
        // Colours are for people: a file or another program gets plain text.
        var text = Console.IsOutputRedirected ? ColourCodes().Replace(line, "") : line;
        lock (_lock)
        {
            Console.Out.WriteLine(text);
        }
    }

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex ColourCodes();
}
