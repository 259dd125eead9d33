using OpenHands.Hosting.Processes;

namespace OpenHands.Tests.Hosting.Processes;

public sealed class HostDirectoriesTests
{
    [Fact]
    public void Root_keeps_its_files_where_services_do() =>
        Assert.Equal(new("/var/cache/openhands", "/var/lib/openhands"), Find(isRoot: true, ("HOME", "/root")));

    [Fact]
    public void A_user_keeps_them_at_home() =>
        Assert.Equal(new("/accounts/a/.cache/openhands", "/accounts/a/.local/share/openhands"), Find(isRoot: false, ("HOME", "/accounts/a")));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_XDG_variables_win(bool isRoot) =>
        Assert.Equal(new("/c/openhands", "/d/openhands"), Find(isRoot, ("HOME", "/accounts/a"), ("XDG_CACHE_HOME", "/c"), ("XDG_DATA_HOME", "/d")));

    [Fact]
    public void Relative_XDG_variables_do_not_count() =>
        Assert.Equal("/accounts/a/.cache/openhands", Find(isRoot: false, ("HOME", "/accounts/a"), ("XDG_CACHE_HOME", "c")).Cache);

    [Fact]
    public void What_is_given_wins_over_everything() =>
        Assert.Equal(new("/x", "/y"), HostDirectories.Find("/x", "/y", false, _ => null));

    [Fact]
    public void Without_any_the_message_says_what_to_set()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Find(isRoot: false));
        Assert.Contains("Set XDG_CACHE_HOME", failure.Message);
    }

    private static HostDirectories Find(bool isRoot, params (string Name, string Value)[] variables) =>
        HostDirectories.Find(null, null, isRoot, name => variables.FirstOrDefault(variable => variable.Name == name).Value);
}
