using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Tests.Hosting.ApplicationModel;

public sealed class ResourceLoggerServiceTests
{
    private readonly ResourceLoggerService _logs = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void The_oldest_lines_give_way_to_new_ones()
    {
        for (var i = 1; i <= ResourceLoggerService.Capacity + 5; i++)
        {
            _logs.Write("api", $"line {i}", isErrorMessage: false);
        }

        var lines = _logs.GetAll("api");
        Assert.Equal(ResourceLoggerService.Capacity, lines.Count);
        Assert.Equal(new LogLine(6, "line 6", false), lines[0]);
        Assert.Equal(ResourceLoggerService.Capacity + 5, lines[^1].LineNumber);
    }

    [Fact]
    public void Resources_have_lines_and_numbers_of_their_own()
    {
        _logs.Write("api", "from api", isErrorMessage: false);
        _logs.Write("worker", "from worker", isErrorMessage: true);
        Assert.Equal([new LogLine(1, "from api", false)], _logs.GetAll("API"));
        Assert.Equal([new LogLine(1, "from worker", true)], _logs.GetAll("worker"));
        Assert.Empty(_logs.GetAll("redis"));
    }

    [Fact]
    public async Task Who_watches_gets_what_was_written_before_and_then_what_is_new()
    {
        _logs.Write("api", "before", isErrorMessage: false);
        await using var watch = _logs.WatchAsync("api", Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal("before", watch.Current.Content);
        var next = watch.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);
        _logs.Write("worker", "not for this one", isErrorMessage: false);
        _logs.Write("api", "after", isErrorMessage: false);
        Assert.True(await next);
        Assert.Equal(new LogLine(2, "after", false), watch.Current);
    }

    [Fact]
    public async Task Watching_ends_when_it_is_given_up()
    {
        using var source = new CancellationTokenSource();
        await using var watch = _logs.WatchAsync("api", source.Token).GetAsyncEnumerator(Token);
        var next = watch.MoveNextAsync().AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task A_slow_watcher_loses_lines_rather_than_the_host_its_memory()
    {
        _logs.Write("api", "first", isErrorMessage: false);
        await using var watch = _logs.WatchAsync("api", Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        for (var i = 0; i < 3 * ResourceLoggerService.Capacity; i++)
        {
            _logs.Write("api", "more", isErrorMessage: false);
        }

        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(ResourceLoggerService.Capacity + 2, watch.Current.LineNumber);
    }
}
