using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Dashboard.Protocol;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Dashboard;

/// <summary>Start, stop and restart, for every process of the application: projects and servers.</summary>
/// <param name="orchestrator">What is run.</param>
/// <param name="notifications">How it is.</param>
internal sealed class ResourceCommands(ApplicationOrchestrator orchestrator, ResourceNotificationService notifications)
{
    /// <summary>Starts what does not run.</summary>
    public const string Start = "start";

    /// <summary>Stops what runs.</summary>
    public const string Stop = "stop";

    /// <summary>Stops and starts what runs.</summary>
    public const string Restart = "restart";

    private static readonly string[] All = [Start, Stop, Restart];
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _busy = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The commands of a resource as it is now; none for a value or a database.</summary>
    public static IEnumerable<ResourceCommand> Of(ResourceEvent resource)
    {
        if (!IsProcess(resource.Resource))
        {
            yield break;
        }

        yield return Command(resource, Start, "Start", "Start the resource", "Play", IconVariant.Filled, highlighted: true);
        yield return Command(resource, Stop, "Stop", "Stop the resource; its data stays", "Stop", IconVariant.Filled, highlighted: true);
        yield return Command(resource, Restart, "Restart", "Stop the resource and start it again", "ArrowCounterclockwise", IconVariant.Regular, highlighted: false);
    }

    /// <summary>Executes a command and returns once it is done; null, or why it was not.</summary>
    /// <param name="resourceId">The replica.</param>
    /// <param name="command">The command's name.</param>
    /// <param name="cancellationToken">Stops waiting for another command on the same replica.</param>
    public async Task<string?> ExecuteAsync(string resourceId, string command, CancellationToken cancellationToken)
    {
        if (!All.Contains(command))
        {
            return $"There is no command '{command}'; there are {string.Join(", ", All)}.";
        }

        if (orchestrator.Find(resourceId) is not { } runner || !IsProcess(runner.Resource))
        {
            return $"There is no resource '{resourceId}' with commands.";
        }

        // One command at a time: a second click must not start what the first one is stopping.
        var busy = _busy.GetOrAdd(runner.ResourceId, _ => new SemaphoreSlim(1));
        await busy.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!notifications.TryGetCurrentState(runner.ResourceId, out var now) || State(now, command) != ResourceCommandState.Enabled)
            {
                return $"{runner.ResourceId} is {now?.Snapshot.State?.Text}: it cannot be told to {command} now.";
            }

            return await ExecuteAsync(runner, command).ConfigureAwait(false);
        }
        finally
        {
            busy.Release();
        }
    }

    private static async Task<string?> ExecuteAsync(IResourceRunner runner, string command)
    {
        if (command != Start)
        {
            await runner.HaltAsync().ConfigureAwait(false);
        }

        if (command != Stop)
        {
            _ = runner.RunAsync();
        }

        return null;
    }

    private static bool IsProcess(IResource resource) => resource is ProjectResource or ContainerResource;

    private static ResourceCommand Command(
        ResourceEvent resource, string name, string displayName, string description, string icon, IconVariant variant, bool highlighted) => new()
        {
            Name = name,
            DisplayName = displayName,
            DisplayDescription = description,
            ConfirmationMessage = "",
            IconName = icon,
            IconVariant = variant,
            IsHighlighted = highlighted,
            State = State(resource, name),
        };

    private static ResourceCommandState State(ResourceEvent resource, string command)
    {
        var state = resource.Snapshot.State?.Text;
        var stopped = state is not null && (KnownResourceStates.TerminalStates.Contains(state) || state == KnownResourceStates.NotStarted);
        var running = state == KnownResourceStates.Running;
        return (command, stopped, running) switch
        {
            (Start, true, _) or (Stop, _, true) or (Restart, _, true) => ResourceCommandState.Enabled,
            // Waiting and a crashed process between two attempts can be called off.
            (Stop, false, _) when state == KnownResourceStates.Waiting => ResourceCommandState.Enabled,
            (Restart, _, _) => ResourceCommandState.Disabled,
            (Start, false, true) or (Stop, true, _) => ResourceCommandState.Hidden,
            _ => ResourceCommandState.Disabled,
        };
    }
}
