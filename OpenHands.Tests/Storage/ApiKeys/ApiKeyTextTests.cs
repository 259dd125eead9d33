using OpenHands.Storage.ApiKeys;

namespace OpenHands.Tests.Storage.ApiKeys;

public sealed class ApiKeyTextTests
{
    [Fact]
    public void A_new_key_has_the_prefix_256_bits_and_a_checksum()
    {
        var keys = Enumerable.Range(0, 1000).Select(_ => ApiKeyText.New()).ToList();
        Assert.All(keys, key => Assert.Matches("^sk-oh-[0-9A-Za-z]{49}$", key));
        Assert.All(keys, key => Assert.True(ApiKeyText.IsOne(key)));
        Assert.Equal(keys.Count, keys.Distinct().Count());
        Assert.True(43 * Math.Log2(62) >= 256);
    }

    [Fact]
    public void A_mistyped_key_is_none()
    {
        var key = ApiKeyText.New();
        for (var at = 0; at < key.Length; at++)
            Assert.False(ApiKeyText.IsOne($"{key[..at]}{(key[at] == 'x' ? 'y' : 'x')}{key[(at + 1)..]}"), $"changed at {at}");
        Assert.False(ApiKeyText.IsOne(key[..^1]));
        Assert.False(ApiKeyText.IsOne(key + "0"));
        Assert.False(ApiKeyText.IsOne(""));
    }

    [Theory]
    [InlineData("sessions:read", "sessions", false, true)]
    [InlineData("sessions:read", "sessions", true, false)]
    [InlineData("sessions:write", "sessions", false, true)]
    [InlineData("sessions:write", "sessions", true, true)]
    [InlineData("sessions:write", "secrets", false, false)]
    public void A_scope_allows_its_area_and_writing_includes_reading(string scope, string area, bool writes, bool allowed) =>
        Assert.Equal(allowed, ApiKeyScopes.Allow([scope], area, writes));

    [Theory]
    [InlineData("keys:write sessions:read", "sessions:read", true)]
    [InlineData("keys:write sessions:write", "sessions:read", true)]
    [InlineData("keys:write sessions:read", "sessions:write", false)]
    [InlineData("keys:write", "sessions:read", false)]
    public void A_key_covers_no_more_than_its_own_scopes(string granted, string asked, bool covers) =>
        Assert.Equal(covers, ApiKeyScopes.Cover(granted.Split(' '), asked.Split(' ')));
}
