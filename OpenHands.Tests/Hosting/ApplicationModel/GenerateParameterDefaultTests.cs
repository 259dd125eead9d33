using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Tests.Hosting.ApplicationModel;

public sealed class GenerateParameterDefaultTests
{
    [Fact]
    public void Without_further_wishes_it_is_22_characters_of_all_kinds()
    {
        var many = string.Concat(Enumerable.Range(0, 200).Select(_ => new GenerateParameterDefault().GetDefaultValue()));
        Assert.Equal(22 * 200, many.Length);
        Assert.Equal(23 + 23 + 10 + 11, many.Distinct().Count());
        Assert.Matches("^[a-hjkmnp-zA-HJKMNP-Z0-9_.{}~()*+!-]+$", many);
    }

    [Theory]
    [InlineData(true, false, false, false, "^[a-z]{43}$")]
    [InlineData(false, true, false, false, "^[A-Z]{43}$")]
    [InlineData(false, false, true, false, "^[0-9]{43}$")]
    [InlineData(false, false, false, true, "^[_.{}~()*+!-]{43}$")]
    [InlineData(true, true, true, false, "^[a-zA-Z0-9]{43}$")]
    public void Only_the_kinds_asked_for_occur(bool lower, bool upper, bool numeric, bool special, string pattern)
    {
        var generated = new GenerateParameterDefault { MinLength = 43, Lower = lower, Upper = upper, Numeric = numeric, Special = special };
        Assert.Matches(pattern, generated.GetDefaultValue());
    }

    [Fact]
    public void No_two_are_the_same() =>
        Assert.NotEqual(new GenerateParameterDefault().GetDefaultValue(), new GenerateParameterDefault().GetDefaultValue());

    [Fact]
    public void Nothing_cannot_be_made_of_nothing() =>
        Assert.Throws<InvalidOperationException>(
            () => new GenerateParameterDefault { Lower = false, Upper = false, Numeric = false, Special = false }.GetDefaultValue());
}
