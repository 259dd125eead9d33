using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Redis;

public sealed class RedisKeysTests
{
    [Fact]
    public void The_page_of_keys_lists_what_the_code_makes()
    {
        var rows = Page.Table("docs/redis-keys.md", "Pattern")
            .Select(cells => new RedisKeyPattern(cells[0].Trim('`'), cells[1], cells[2], cells[3]));

        Assert.Equal(RedisKeys.Patterns, rows);
    }

    [Fact]
    public void Every_key_has_a_pattern()
    {
        string?[] made =
        [
            RedisKeys.Secret("{scope}", "{owner}", "{name}"), RedisKeys.Session("{id}"), RedisKeys.Cache("{resource}", "{id}"), RedisKeys.Lock("{resource}", "{id}"),
            RedisKeys.RateLimit("{resource}", "{id}"), RedisKeys.Replicas,
            RedisKeys.Queue("{name}"), RedisKeys.Adopting("{name}"), RedisKeys.Window("{name}"), RedisKeys.Pushed, RedisKeys.Low,
        ];

        Assert.Equal(RedisKeys.Patterns.Select(pattern => pattern.Pattern), made);
    }
}
