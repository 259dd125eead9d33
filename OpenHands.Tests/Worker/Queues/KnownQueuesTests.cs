using Microsoft.Extensions.Time.Testing;
using OpenHands.Storage.Queues;
using OpenHands.Worker.Queues;

namespace OpenHands.Tests.Worker.Queues;

public sealed class KnownQueuesTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_queue_that_is_not_seen_any_more_is_forgotten()
    {
        var known = new KnownQueues(new QueueFilter("named,*"), _time);
        known.Saw("old");
        _time.Advance(TimeSpan.FromSeconds(40));
        known.Saw("new");
        known.Saw("named");
        Assert.Equal(["named", "new", "old"], Names(known));

        _time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(["named", "new"], Names(known));
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(["named"], Names(known));
    }

    [Fact]
    public void A_queue_that_was_not_chosen_is_not_remembered()
    {
        var known = new KnownQueues(new QueueFilter("a*"), _time);
        known.Saw("b");

        Assert.False(known.Contains("b"));
        Assert.Empty(known.Current());
    }

    [Fact]
    public void An_empty_queue_is_looked_at_less_and_less_often_and_a_used_one_at_once()
    {
        var queue = new KnownQueue("q", null);
        Assert.Equal([100, 150, 200, 250, 250], Enumerable.Range(0, 5).Select(_ => PauseAfterEmpty(queue)));

        queue.HadTask();
        Assert.True(queue.IsDue(_time));
        Assert.Equal(100, PauseAfterEmpty(queue));
    }

    [Fact]
    public void News_that_comes_before_the_answer_that_there_is_nothing_is_not_forgotten_with_it()
    {
        var known = new KnownQueues(new QueueFilter("q"), _time);
        var queue = known.Current().Single();
        var before = queue.News;
        known.HasNews("q");
        queue.WasEmpty(before, _time);

        Assert.True(queue.IsDue(_time));
        queue.WasEmpty(queue.News, _time);
        Assert.False(queue.IsDue(_time));
    }

    private int PauseAfterEmpty(KnownQueue queue)
    {
        queue.WasEmpty(queue.News, _time);
        var pause = 0;
        for (; !queue.IsDue(_time); pause += 10)
            _time.Advance(TimeSpan.FromMilliseconds(10));
        return pause;
    }

    private static IEnumerable<string> Names(KnownQueues known) => known.Current().Select(queue => queue.Name).Order();
}
