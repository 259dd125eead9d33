using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Tests.Hosting.ApplicationModel;

public sealed class ResourceNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("Api")]
    [InlineData("postgres-app-password")]
    [InlineData("redis2")]
    [InlineData("a1234567890123456789012345678901234567890123456789012345678901-4")]
    public void A_name_that_keeps_the_rules_is_taken_as_it_is(string name) => Assert.Equal(name, new ProjectResource(name).Name);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("1st")]
    [InlineData("-api")]
    [InlineData("api-")]
    [InlineData("my--api")]
    [InlineData("my_api")]
    [InlineData("my.api")]
    [InlineData("my api")]
    [InlineData("größe")]
    [InlineData("a1234567890123456789012345678901234567890123456789012345678901-45")]
    public void A_name_that_breaks_a_rule_is_refused(string name) => Assert.Throws<ArgumentException>(() => new ProjectResource(name));
}
