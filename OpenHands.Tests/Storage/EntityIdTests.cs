using Microsoft.Extensions.Time.Testing;
using OpenHands.Storage;

namespace OpenHands.Tests.Storage;

public sealed class EntityIdTests
{
    [Fact]
    public void Ids_sort_by_their_time_also_within_a_millisecond()
    {
        var time = new FakeTimeProvider();
        var ids = Enumerable.Range(0, 3000).Select(_ =>
        {
            time.Advance(TimeSpan.FromMicroseconds(1));
            return EntityId.New(time);
        }).ToList();

        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
    }

    [Fact]
    public void An_id_is_a_UUID_of_version_7_and_tells_its_time()
    {
        var now = new DateTimeOffset(2026, 11, 27, 11, 30, 0, TimeSpan.Zero).AddMicroseconds(999.9);
        var id = EntityId.New(new FakeTimeProvider(now));

        Assert.Matches("^[0-9a-f]{12}7fff[89ab][0-9a-f]{15}$", id);
        Assert.Equal(now.ToUnixTimeMilliseconds(), Convert.ToInt64(id[..12], 16));
    }

    [Fact]
    public void Ids_of_the_same_moment_differ()
    {
        var time = new FakeTimeProvider();
        Assert.NotEqual(EntityId.New(time), EntityId.New(time));
    }
}
