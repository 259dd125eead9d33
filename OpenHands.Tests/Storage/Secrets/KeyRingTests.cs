using Microsoft.Extensions.Configuration;
using OpenHands.Storage.Secrets;

namespace OpenHands.Tests.Storage.Secrets;

public sealed class KeyRingTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("31-characters-are-not-enough-ok")]
    public void Without_a_long_enough_key_it_says_what_to_set_and_not_what_was_given(string? key)
    {
        var refusal = Assert.Throws<InvalidOperationException>(() => KeyRing.From(Configuration(key)));
        Assert.Contains("ConnectionStrings__secrets", refusal.Message);
        Assert.Contains("32 characters", refusal.Message);
        Assert.True(string.IsNullOrEmpty(key) || !refusal.Message.Contains(key));
    }

    [Fact]
    public void Every_tenant_and_every_ring_has_its_own_key()
    {
        var one = KeyRing.From(Configuration("one ring with 32 characters ....")).Current;
        var other = KeyRing.From(Configuration("two ring with 32 characters ....")).Current;
        string[] keys = [.. new[] { one.ForTenant("user:1"), one.ForTenant("user:2"), other.ForTenant("user:1") }.Select(Convert.ToHexString)];
        Assert.Equal(3, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Equal(64, key.Length));
        Assert.NotEqual(one.Id, other.Id);
    }

    private static IConfiguration Configuration(string? key) => new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:secrets"] = key }).Build();
}
