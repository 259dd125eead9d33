using OpenHands.Storage.Postgres;

namespace OpenHands.Tests.Storage.Postgres;

public sealed class ScramVerifierTests
{
    // RFC 7677, section 3: user "user", password "pencil". StoredKey and ServerKey follow from its salt and iterations.
    private const string Pencil =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    [Fact]
    public void It_is_the_one_of_the_standards_example() =>
        Assert.Equal(Pencil, ScramVerifier.Create("pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096));

    [Fact]
    public void It_matches_its_own_password_and_no_other()
    {
        Assert.True(ScramVerifier.Matches(Pencil, "pencil"));
        Assert.False(ScramVerifier.Matches(Pencil, "pencils"));
        Assert.True(ScramVerifier.Matches(ScramVerifier.Create("p$:w"), "p$:w"));
        Assert.NotEqual(ScramVerifier.Create("same"), ScramVerifier.Create("same"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("md5c4ca4238a0b923820dcc509a6f75849b")]
    [InlineData("SCRAM-SHA-256$4096:not base64$x:y")]
    [InlineData("SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$x:y")]
    [InlineData("SCRAM-SHA-256$4096$x:y")]
    public void Anything_else_matches_nothing(string? stored) => Assert.False(ScramVerifier.Matches(stored, "pencil"));
}
