using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;
using OpenHands.Tests.Support;
using OpenHands.Worker;

namespace OpenHands.Tests.Worker.Operators;

/// <summary>The verbs <c>queues</c> and <c>tasks</c>.</summary>
public sealed class OperatorCommandTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private TestQueues _queues = null!; // set before every test

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public async ValueTask DisposeAsync()
    {
        _output.Dispose();
        _error.Dispose();
        await _queues.DisposeAsync();
    }

    [Fact]
    public async Task A_task_is_enqueued_looked_at_cancelled_replayed_and_purged()
    {
        var id = (string)(await JsonAsync("tasks", "enqueue", "q", "mail", """{"to":"a"}"""))!["id"]!;
        Assert.Equal(1, (int)(await JsonAsync("queues", "list"))![0]!["waiting"]!);
        Assert.Equal("a", (string)(await JsonAsync("tasks", "show", id))!["payload"]!["to"]!);
        Assert.Equal(0, await RunAsync("tasks", "cancel", id));
        Assert.Equal(1, await RunAsync("tasks", "cancel", id));
        Assert.Contains("in a state in which this cannot be done", _error.ToString());
        Assert.Equal(id, (string)(await JsonAsync("tasks", "list", "--status=cancelled", "--queue", "q"))![0]!["id"]!);
        Assert.Equal(0, await RunAsync("tasks", "replay", id));
        Assert.Equal(1, (int)(await JsonAsync("tasks", "purge", "q", "waiting"))!["count"]!);
        Assert.Equal(1, await RunAsync("tasks", "show", id));
    }

    [Fact]
    public async Task Rules_of_a_queue_are_set_one_by_one()
    {
        Assert.Equal(0, await RunAsync("queues", "pause", "q"));
        Assert.Equal(0, await RunAsync("queues", "limit", "q", "--most", "5"));
        Assert.Equal(0, await RunAsync("queues", "weight", "q", "acme", "3"));
        var rules = new QueueRules(_queues.Database);
        Assert.Equal(new QueueRule("q", IsPaused: true, 5, null), (await rules.ReadAsync(TestContext.Current.CancellationToken))["q"]);
        Assert.Equal(3, (await rules.WeightsAsync("q", TestContext.Current.CancellationToken))["acme"]);
    }

    [Fact]
    public async Task A_list_for_a_terminal_has_columns()
    {
        await _queues.EnqueueAsync("q", 1);
        Assert.Equal(0, await RunAsync("queues", "list"));
        Assert.StartsWith("queue  waiting  running", _output.ToString());
        Assert.Equal(0, await RunAsync("queues", "workers"));
        Assert.Equal(0, await RunAsync("queues", "minutes"));
        Assert.Equal(0, await RunAsync("tasks", "refused"));
    }

    [Theory]
    [InlineData("queues", "drop")]
    [InlineData("tasks", "purge", "q", "leased")]
    [InlineData("queues", "weight", "q", "acme", "0")]
    [InlineData("tasks", "list", "--most", "many")]
    [InlineData("tasks", "list", "--colour")]
    public async Task What_is_not_understood_answers_2_with_the_usage(params string[] args)
    {
        Assert.Equal(2, await RunAsync(args));
        Assert.Contains("Usage:", _error.ToString());
    }

    [Fact]
    public async Task Help_is_there_without_a_database()
    {
        Assert.Equal(0, await WorkerProgram.RunAsync(["queues", "--help"], _output, _error));
        Assert.StartsWith("Usage: OpenHands.Worker queues|tasks", _output.ToString());
    }

    [Fact]
    public async Task A_database_that_is_away_is_said_in_one_line()
    {
        using var closed = new ClosedPort();
        Assert.Equal(1, await WorkerProgram.RunAsync(
            ["queues", "list", $"--ConnectionStrings:openhands-system=Host=127.0.0.1;Port={closed.Number};Username=a;Password=s3cret"], _output, _error));
        Assert.StartsWith("PostgreSQL did not do it:", _error.ToString());
        Assert.DoesNotContain("s3cret", _error.ToString());
    }

    private Task<int> RunAsync(params string[] args) => WorkerProgram.RunAsync(
        [.. args, $"--ConnectionStrings:openhands-system={_queues.Postgres.System}", $"--ConnectionStrings:redis={_queues.Redis.ConnectionString}"], _output, _error);

    private async Task<JsonNode?> JsonAsync(params string[] args)
    {
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, await RunAsync([.. args, "--json"]));
        return JsonNode.Parse(_output.ToString());
    }
}
