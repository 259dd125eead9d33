using System.Threading.Channels;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Dashboard;

/// <summary>
/// Follows the resources for one dashboard: what is known at first, then what changed since the last time it asked. A
/// dashboard that asks slowly gets the newest state of each resource only, so nothing piles up.
/// </summary>
internal sealed class ResourceFeed
{
    private readonly Lock _lock = new();
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Dictionary<string, ResourceEvent> _pending = [];

    private ResourceFeed(IReadOnlyList<ResourceEvent> initial) => Initial = initial;

    /// <summary>What was known when it began.</summary>
    public IReadOnlyList<ResourceEvent> Initial { get; }

    /// <summary>Follows until cancelled.</summary>
    public static ResourceFeed Follow(ResourceNotificationService notifications, CancellationToken cancellationToken)
    {
        var (initial, changes) = notifications.Subscribe();
        var feed = new ResourceFeed(initial);
        _ = feed.CollectAsync(notifications, changes, cancellationToken);
        return feed;
    }

    /// <summary>What changed, once something has.</summary>
    public async Task<IReadOnlyCollection<ResourceEvent>> NextAsync(CancellationToken cancellationToken)
    {
        await _changed.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            var pending = _pending;
            _pending = [];
            return pending.Values;
        }
    }

    private async Task CollectAsync(ResourceNotificationService notifications, ChannelReader<ResourceEvent> changes, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in changes.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                lock (_lock)
                {
                    _pending[change.ResourceId] = change;
                }

                _changed.Writer.TryWrite(true);
            }
        }
        catch (OperationCanceledException)
        {
            // The dashboard has left.
        }
        finally
        {
            notifications.Unsubscribe(changes);
        }
    }
}
