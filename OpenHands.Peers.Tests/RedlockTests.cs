using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using OpenHands.Storage.Locks;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Application;
using StackExchange.Redis;

namespace OpenHands.Peers.Tests;

/// <summary>Our locks and those of npm's redlock are the same locks.</summary>
public sealed class RedlockTests(ApplicationFixture fixture) : IAsyncLifetime
{
    private const int Rounds = 100;

    private readonly string _id = $"{Guid.CreateVersion7():n}";
    private ConnectionMultiplexer _redis = null!;
    private ServiceProvider _services = null!;
    private RedisLocks _locks = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private RedisKey Key => RedisKeys.Lock("peers", _id);

    public async ValueTask InitializeAsync()
    {
        var application = await fixture.ApplicationAsync();
        _redis = await ConnectionMultiplexer.ConnectAsync((await application.GetConnectionStringAsync("redis", Cancelled))!);
        _services = new ServiceCollection().AddSingleton<IConnectionMultiplexer>(_redis).BuildServiceProvider();
        _locks = new RedisLocks(
            _services, new FencingTokens(new DatabasePool("Host=nowhere")), TimeProvider.System, NullLogger<RedisLocks>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await _redis.GetDatabase().KeyDeleteAsync(Key);
        _locks.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task What_we_hold_redlock_does_not_get()
    {
        await using (await _locks.AcquireAsync("peers", _id, TimeSpan.Zero, cancellationToken: Cancelled))
            Assert.False((bool)(await AskAsync("try"))["taken"]!);
        Assert.True((bool)(await AskAsync("try"))["taken"]!);
    }

    [Fact]
    public async Task What_redlock_holds_we_neither_get_nor_release()
    {
        var owner = (string)(await AskAsync("hold"))["owner"]!;
        Assert.Null(await _locks.TryAcquireAsync("peers", _id, cancellationToken: Cancelled));
        await Assert.ThrowsAsync<LockTimeoutException>(() => _locks.AcquireAsync("peers", _id, TimeSpan.FromMilliseconds(200), cancellationToken: Cancelled));
        Assert.Equal(owner, await _redis.GetDatabase().StringGetAsync(Key));
    }

    [Fact]
    public async Task Of_numbers_that_both_count_up_none_is_lost()
    {
        RedisKey number = $"peers:number:{_id}";
        var redis = _redis.GetDatabase();
        await redis.StringSetAsync(number, 0, TimeSpan.FromMinutes(10));
        var theirs = AskAsync("count", number.ToString());
        for (var round = 0; round < Rounds; round++)
        {
            await using var held = await _locks.AcquireAsync("peers", _id, TimeSpan.FromMinutes(2), cancellationToken: Cancelled);
            var read = (int)await redis.StringGetAsync(number);
            await redis.StringSetAsync(number, read + 1);
        }

        await theirs;
        Assert.Equal(2 * Rounds, (int)await redis.StringGetAsync(number));
        await redis.KeyDeleteAsync(number);
    }

    private async Task<JsonObject> AskAsync(string what, string number = "")
    {
        var options = ConfigurationOptions.Parse(_redis.Configuration);
        var order = new JsonObject
        {
            ["do"] = what,
            ["key"] = Key.ToString(),
            ["number"] = number,
            ["rounds"] = Rounds,
            ["port"] = ((System.Net.DnsEndPoint)options.EndPoints[0]).Port,
            ["password"] = options.Password,
        };
        return JsonNode.Parse(await Peer.RunAsync("node", [Path.Combine(Folder(), "npm/redlock.mjs")], order.ToJsonString()))!.AsObject();
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
