using System.Text.RegularExpressions;
using OpenHands.Storage;
using OpenHands.Storage.Redis;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Redis;

public sealed partial class RedisScriptTests(RedisFixture redis)
{
    public static TheoryData<string> Scripts { get; } =
        [.. typeof(StorageExtensions).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".lua", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_says_what_it_does_and_what_goes_in_and_out(string fileName)
    {
        var text = RedisScript.Load(fileName).Text;
        var header = text.Split('\n').TakeWhile(line => line.StartsWith("-- ", StringComparison.Ordinal)).ToArray();
        var body = text[header.Sum(line => line.Length + 1)..];

        Assert.Matches(@"^-- [A-Z]", header[0]);
        Assert.Single(header, line => line.StartsWith("-- returns  ", StringComparison.Ordinal));
        AssertExplained("KEYS", header, body);
        AssertExplained("ARGV", header, body);
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_builds_no_key_and_takes_no_time_from_the_caller(string fileName)
    {
        var calls = Call().Matches(RedisScript.Load(fileName).Text);

        Assert.NotEmpty(calls);
        Assert.All(calls, call => Assert.True(call.Groups["first"].Value.StartsWith("KEYS[", StringComparison.Ordinal) || call.Groups["command"].Value == "TIME", call.Value));
    }

    [Fact]
    public async Task A_script_runs_again_after_Redis_forgot_it()
    {
        await using var database = await redis.CreateDatabaseAsync();
        await database.Window.FeedAsync("q", 16, hasMore: false, []);
        await database.Keys.ExecuteAsync("SCRIPT", "FLUSH");
        await database.Window.FeedAsync("q", 32, hasMore: false, []);

        Assert.Equal(32, (int)await database.Keys.StringGetAsync(RedisKeys.Window("q")));
    }

    // Every index that the body uses has a line, and the lines count from 1.
    private static void AssertExplained(string table, string[] header, string body)
    {
        var explained = header.Where(line => line.StartsWith($"-- {table}[", StringComparison.Ordinal)).Select(line => Index().Match(line).Groups[1].Value).ToArray();
        Assert.Equal(Enumerable.Range(1, explained.Length).Select(index => index.ToString()), explained);
        var used = Regex.Matches(body, table + @"\[(\d+)\]").Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Subset(explained.ToHashSet(), used);
    }

    [GeneratedRegex(@"\[(\d+)…?\]")]
    private static partial Regex Index();

    [GeneratedRegex(@"redis\.p?call\('(?<command>\w+)'(, )?(?<first>[^,)]*)")]
    private static partial Regex Call();
}
