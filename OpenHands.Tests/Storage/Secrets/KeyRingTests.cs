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

    [Fact]
    public void Older_keys_come_from_a_list_a_text_and_a_file_and_the_current_one_from_a_file_too()
    {
        var file = Path.GetTempFileName();
        var current = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, $"{Key('d')}\n\n{Key('e')}\n");
            File.WriteAllText(current, $"{Key('a')}\n");
            var ring = KeyRing.From(Configuration(
                null, ("Secrets:KeyFile", current), ("Secrets:PreviousKeys", $"{Key('b')}, {Key('a')}"), ("Secrets:PreviousKeys:0", Key('c')), ("Secrets:PreviousKeysFile", file)));
            Assert.Equal("abcde".Select(letter => KeyRing.From(Configuration(Key(letter))).Current.Id), ring.KeyIds);
        }
        finally
        {
            File.Delete(file);
            File.Delete(current);
        }
    }

    [Fact]
    public void A_short_older_key_and_a_file_that_is_not_there_are_named_without_the_key()
    {
        var tooShort = Assert.Throws<InvalidOperationException>(() => KeyRing.From(Configuration(Key('a'), ("Secrets:PreviousKeys", "short-one"))));
        Assert.DoesNotContain("short-one", tooShort.Message);
        Assert.Contains("Secrets:PreviousKeys", tooShort.Message);
        var missing = Assert.Throws<InvalidOperationException>(() => KeyRing.From(Configuration(Key('a'), ("Secrets:PreviousKeysFile", "/nowhere/keys"))));
        Assert.Contains("Secrets:PreviousKeysFile", missing.Message);
    }

    private static string Key(char letter) => new(letter, 43);

    private static IConfiguration Configuration(string? key, params (string Name, string Value)[] others) => new ConfigurationBuilder()
        .AddInMemoryCollection(others.Select(other => KeyValuePair.Create(other.Name, (string?)other.Value)).Append(new("ConnectionStrings:secrets", key))).Build();
}
