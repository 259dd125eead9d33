using Microsoft.AspNetCore.Components;

namespace OpenHands.Dashboard.Components;

/// <summary>A page that shows what changes by itself: once a second at most, less often while very much is new, and not at all while nothing is.</summary>
public abstract class LivePage : ComponentBase, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _left = new();

    [Inject]
    internal TimeProvider Time { get; set; } = null!;

    [Inject]
    internal NavigationManager Navigation { get; set; } = null!;

    /// <summary>Ends when the user leaves the page.</summary>
    protected CancellationToken Left => _left.Token;

    /// <summary>Another number whenever there is something new to see: greater by how much is new.</summary>
    protected abstract long Version { get; }

    /// <summary>The same page with another value for a filter; none when it is empty.</summary>
    protected string With(string filter, object? value) =>
        Navigation.GetUriWithQueryParameters(new Dictionary<string, object?> { [filter] = value is string { Length: 0 } or false ? null : value });

    /// <summary>Turns to the page with another value for a filter; going back does not count through every letter typed.</summary>
    protected void Filter(string filter, object? value) => Navigation.NavigateTo(With(filter, value), replace: true);

    /// <inheritdoc/>
    protected override void OnInitialized() => _ = FollowAsync();

    /// <summary>Lets go of what the page holds.</summary>
    protected virtual void Leave()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _left.Cancel();
        Leave();
        _left.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task FollowAsync()
    {
        using var timer = new PeriodicTimer(Interval, Time);
        var token = Left;
        var pace = new LivePace(Version);
        try
        {
            while (await timer.WaitForNextTickAsync(token))
            {
                if (pace.IsDue(Version))
                    await InvokeAsync(StateHasChanged);
            }
        }
        catch (OperationCanceledException)
        {
            // The user has left.
        }
    }
}
