using System.Collections.Concurrent;
using OpenHands.Hosting.Provisioning;
using OpenHands.Tests.Hosting.Servers;

namespace OpenHands.Tests.Hosting.Provisioning;

public sealed class ServerBinariesTests(ServerCache cache)
{
    public static TheoryData<string> Products => ["PostgreSQL", "Redis"];

    [Theory]
    [MemberData(nameof(Products))]
    public async Task Provisioned_programs_come_from_the_cache_even_when_the_machine_has_them(string name)
    {
        var binaries = await cache.ProvisionAsync(Product(name));

        Assert.StartsWith(cache.Path, binaries.Folder);
        Assert.Contains(name == "Redis" ? "Redis server" : "(PostgreSQL)", await binaries.GetVersionAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task After_a_run_that_was_stopped_halfway_hosts_that_ask_at_the_same_time_provision_once()
    {
        using var folder = new TestFolder();
        using var halfway = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => FindAsync(
            line =>
            {
                if (line.Contains("unpacking", StringComparison.Ordinal))
                {
                    halfway.Cancel();
                }
            },
            halfway.Token));
        Assert.NotEmpty(Directory.GetDirectories(folder["cache"], "redis-server.new", SearchOption.AllDirectories));

        var lines = new ConcurrentQueue<string>();
        var found = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => FindAsync(lines.Enqueue, TestContext.Current.CancellationToken)));

        Assert.Single(found.Select(binaries => binaries.Server).Distinct());
        Assert.Contains("Redis server", await found[0].GetVersionAsync(TestContext.Current.CancellationToken));
        Assert.Single(lines, line => line.Contains("unpacking", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("waiting", StringComparison.Ordinal));
        var system = Assert.Single(Directory.GetDirectories(folder["cache/servers"]));
        Assert.Equal(["redis-server"], Directory.GetDirectories(system).Select(Path.GetFileName));

        lines.Clear();
        Assert.Equal(found[0].Server, (await FindAsync(lines.Enqueue, TestContext.Current.CancellationToken)).Server);
        Assert.Empty(lines);

        Task<ServerBinaries> FindAsync(Action<string> progress, CancellationToken cancellationToken) => ServerBinaries.FindAsync(
            ServerProduct.Redis, ServerSource.Parse("provisioned", ""), folder["cache"], null, progress, cancellationToken);
    }

    [Fact]
    public async Task A_folder_that_is_set_is_taken_or_refused_by_name()
    {
        using var folder = new TestFolder();
        var source = ServerSource.Parse(folder.Path, "--Redis:Source");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Find());
        Assert.Contains(folder.Path, refused.Message);
        Assert.Contains("redis-server", refused.Message);

        // Neither a link to nowhere nor a file that is no program.
        File.CreateSymbolicLink(folder["redis-server"], folder["gone"]);
        File.WriteAllText(folder["valkey-server"], "");
        await Assert.ThrowsAsync<InvalidOperationException>(() => Find());

        File.SetUnixFileMode(folder["valkey-server"], TestFolder.Everyone);
        Assert.Equal(folder["valkey-server"], (await Find()).Server);

        Directory.CreateDirectory(folder["real"]);
        File.Move(folder["valkey-server"], folder["real/redis-server"]);
        File.CreateSymbolicLink(folder["gone"], folder["real/redis-server"]);
        Assert.Equal(folder["real/redis-server"], (await Find()).Server);

        Task<ServerBinaries> Find() => ServerBinaries.FindAsync(ServerProduct.Redis, source, cache.Path, null, _ => { }, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("auto", true)]
    [InlineData("provisioned", false)]
    public void The_source_says_whether_the_machine_is_searched(string? value, bool useInstalled) =>
        Assert.Equal(new ServerSource(null, useInstalled), ServerSource.Parse(value, "--Postgres:Source"));

    [Fact]
    public void A_source_that_is_none_is_refused_with_its_key()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => ServerSource.Parse("docker", "--Postgres:Source"));
        Assert.Contains("--Postgres:Source", refused.Message);
        Assert.Contains("docker", refused.Message);
    }

    private static ServerProduct Product(string name) => name == "Redis" ? ServerProduct.Redis : ServerProduct.Postgres;
}
