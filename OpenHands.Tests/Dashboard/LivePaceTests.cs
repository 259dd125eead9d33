extern alias dashboard;

using dashboard::OpenHands.Dashboard.Components;

namespace OpenHands.Tests.Dashboard;

public sealed class LivePaceTests
{
    private readonly LivePace _pace = new(7);

    [Fact]
    public void A_page_is_drawn_when_something_is_new_and_only_then()
    {
        Assert.Equal([false, true, false, true, true, false], Draws(7, 8, 8, 9, 9 + LivePace.Flood, 9 + LivePace.Flood));
    }

    [Fact]
    public void In_a_flood_it_is_drawn_every_fifth_time_and_its_end_at_once()
    {
        var flood = Enumerable.Range(1, 11).Select(second => 7L + (second * (LivePace.Flood + 1))).ToArray();
        Assert.Equal([true, false, false, false, false, true, false, false, false, false, true], Draws(flood));
        Assert.Equal([false, true, false], Draws(flood[^1] + LivePace.Flood + 1, flood[^1] + LivePace.Flood + 1, flood[^1] + LivePace.Flood + 1));
    }

    [Fact]
    public void Another_source_with_less_to_show_is_drawn()
    {
        Assert.Equal([true, true], Draws(3, 2));
    }

    private IEnumerable<bool> Draws(params long[] versions) => [.. versions.Select(_pace.IsDue)];
}
