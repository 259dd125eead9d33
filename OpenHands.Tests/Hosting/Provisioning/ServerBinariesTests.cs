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
    public async Task Hosts_that_ask_at_the_same_time_download_once()
    {
        using var folder = new TestFolder();
        var lines = new ConcurrentQueue<string>();
        var source = ServerSource.Parse("provisioned", ServerProduct.Redis.SourceKey);

        // What a killed run leaves: half a tree under the working name.
        Directory.CreateDirectory(folder["cache/servers"]);
        var found = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ =>
            ServerBinaries.FindAsync(ServerProduct.Redis, source, folder["cache"], null, lines.Enqueue, TestContext.Current.CancellationToken)));

        Assert.Single(found.Select(binaries => binaries.Server).Distinct());
        Assert.Single(lines, line => line.Contains("downloading", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("waiting", StringComparison.Ordinal));

        lines.Clear();
        var again = await ServerBinaries.FindAsync(ServerProduct.Redis, source, folder["cache"], null, lines.Enqueue, TestContext.Current.CancellationToken);
        Assert.Equal(found[0].Server, again.Server);
        Assert.Empty(lines);
    }

    [Fact]
    public async Task What_a_killed_run_left_in_the_cache_is_replaced()
    {
        using var folder = new TestFolder();
        var source = ServerSource.Parse("provisioned", ServerProduct.Redis.SourceKey);
        using var killed = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ServerBinaries.FindAsync(
            ServerProduct.Redis, source, folder["cache"], null,
            line =>
            {
                if (line.Contains("unpacking", StringComparison.Ordinal))
                {
                    killed.Cancel();
                }
            },
            killed.Token));
        Assert.NotEmpty(Directory.GetDirectories(folder["cache"], "redis-server.new", SearchOption.AllDirectories));

        var binaries = await ServerBinaries.FindAsync(ServerProduct.Redis, source, folder["cache"], null, _ => { }, TestContext.Current.CancellationToken);

        Assert.Contains("Redis server", await binaries.GetVersionAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["redis-server"], Directory.GetDirectories(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(binaries.Folder)!)!)!).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_folder_that_is_set_is_taken_or_refused_by_name()
    {
        using var folder = new TestFolder();
        var source = ServerSource.Parse(folder.Path, "--Redis:Source");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Find());
        Assert.Contains(folder.Path, refused.Message);
        Assert.Contains("redis-server", refused.Message);

        File.WriteAllText(folder["valkey-server"], "");
        Assert.Equal(folder["valkey-server"], (await Find()).Server);

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
