using OpenHands.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Servers;

namespace OpenHands.Tests.Hosting.Provisioning;

public sealed class DebianPackagesTests
{
    [Theory]
    [InlineData("postgresql-15", true)]
    [InlineData("postgresql-client-15", true)]
    [InlineData("libpq5", true)]
    [InlineData("libicu72", true)]
    [InlineData("libssl3t64", true)]
    [InlineData("libldap-2.5-0", true)]
    [InlineData("postgresql-common", false)]
    [InlineData("libllvm14", false)]
    [InlineData("libperl5.36", false)]
    [InlineData("libjson-perl", false)]
    [InlineData("libc6", false)]
    [InlineData("libstdc++6", false)]
    [InlineData("openssl", false)]
    public void Only_the_server_and_the_libraries_it_loads_are_fetched(string package, bool isNeeded) =>
        Assert.Equal(isNeeded, new DebianPackages(ServerProduct.Postgres, "", _ => { }).IsNeeded(package));

    [Fact]
    public async Task Without_apt_the_message_says_what_to_install_or_pass()
    {
        using var folder = new TestFolder();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new DebianPackages(ServerProduct.Postgres, folder["apt"], _ => { }, tools: folder["bin"]).UnpackAsync(folder["tree"], TestContext.Current.CancellationToken));

        Assert.Contains("no apt-get", failure.Message);
        Assert.Contains("Install PostgreSQL, or pass --Postgres:Source=", failure.Message);
    }

    [Fact]
    public async Task Without_a_network_the_message_says_so_and_keeps_what_apt_said()
    {
        using var folder = new TestFolder();
        Directory.CreateDirectory(folder["bin"]);
        foreach (var tool in new[] { "apt-get", "dpkg-deb" })
        {
            File.WriteAllText(folder["bin/" + tool], "#!/bin/sh\necho 'E: Could not resolve the mirror' >&2\nexit 100\n");
            File.SetUnixFileMode(folder["bin/" + tool], TestFolder.Everyone);
        }

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new DebianPackages(ServerProduct.Redis, folder["apt"], _ => { }, tools: folder["bin"]).UnpackAsync(folder["tree"], TestContext.Current.CancellationToken));

        Assert.Contains("is there a network?", failure.Message);
        Assert.Contains("Could not resolve the mirror", failure.Message);
        Assert.Contains("--Redis:Source=", failure.Message);
    }
}
