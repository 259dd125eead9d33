extern alias dashboard;

using dashboard::OpenHands.Dashboard.Operators;
using dashboard::OpenHands.Hosting.Dashboard.Protocol;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Dashboard;

/// <summary>What the dashboard sees of a real worker's queues, and does to them.</summary>
public sealed class OperatorTests(DatabaseServer server, RedisFixture redis) : IAsyncLifetime
{
    private const string Key = "operators-key-of-this-test";
    private TestQueues _queues = null!; // set before every test

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _queues = await TestQueues.CreateAsync(server, redis);

    public ValueTask DisposeAsync() => _queues.DisposeAsync();

    [Fact]
    public async Task Tasks_and_values_that_are_none_are_listed_inspected_cancelled_and_replayed()
    {
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none", $"Operators:Key={Key}"]);
        using var client = new OperatorClient(() => new OperatorDoor(worker.Address, Key));
        var id = Assert.Single(await _queues.EnqueueAsync("q", 7));
        await _queues.Postgres.QueryAsync("INSERT INTO dead_letters (id, queue, value, reason, created_at) VALUES ('v', 'p', 'rubbish', 'The value is not JSON.', now() + interval '1 minute')"); // newer, whatever the clock does meanwhile

        var view = await ViewAsync(client);
        Assert.Equal(1, view.Queues["q"].Waiting);
        Assert.Equal((0, 1), (view.Dead("q"), view.Dead("p")));
        Assert.Equal(["v dead letter The value is not JSON.", $"{id} waiting "], view.Tasks.Select(task => $"{task.Id} {task.State} {task.Reason}"));
        Assert.Equal("7", (string?)(await client.ShowAsync(id, isTask: true, Cancelled)).Value!["payload"]);
        Assert.Equal("rubbish", (string?)(await client.ShowAsync("v", isTask: false, Cancelled)).Value!["value"]);

        Assert.Null(await client.CancelAsync(id, Cancelled));
        Assert.Equal("The task is in a state in which this cannot be done.", await client.CancelAsync(id, Cancelled));
        Assert.True(Assert.Single((await ViewAsync(client, "q", "cancelled")).Tasks).CanBeReplayed);
        Assert.Null(await client.ReplayAsync(id, isTask: true, Cancelled));
        Assert.Equal("waiting", Assert.Single((await ViewAsync(client, "q")).Tasks).State);
        Assert.Equal("It is still no task: The value is not JSON.", await client.ReplayAsync("v", isTask: false, Cancelled));
        Assert.Equal("v", Assert.Single((await ViewAsync(client, state: TaskRow.Dead)).Tasks).Id);
        Assert.Empty((await ViewAsync(client, "q", TaskRow.Dead)).Tasks);
        Assert.Equal("There is no such task.", await client.CancelAsync("a/../b?c", Cancelled));
        Assert.StartsWith("status must be one of", (await ViewAsync(client, state: "lost")).Failure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_worker_or_with_a_wrong_key_there_is_a_reason_and_nothing_else()
    {
        await using var worker = await WorkerHost.StartAsync(_queues, settings: ["Worker:Queues=none", $"Operators:Key={Key}"]);
        using var stranger = new OperatorClient(() => new OperatorDoor(worker.Address, "another"));
        var refused = await ViewAsync(stranger);
        Assert.StartsWith("Present the operators' key", refused.Failure, StringComparison.Ordinal);
        Assert.Null(refused.Dead("q"));

        using var nobody = new OperatorClient(() => null);
        Assert.False(nobody.IsAvailable);
        Assert.Equal("No worker that runs answers operators.", (await ViewAsync(nobody)).Failure);

        await worker.StopAsync();
        Assert.Equal("The worker did not answer; it is asked again.", (await ViewAsync(stranger)).Failure);
    }

    [Theory]
    [InlineData("Running", "http://localhost:4711", true)]
    [InlineData("Running", "http://127.0.0.1:4711", true)]
    [InlineData("Exited", "http://localhost:4711", false)]
    [InlineData("Running", "http://worker.example:4711", false)]
    [InlineData("Running", "redis://localhost:4711", false)]
    public void A_key_is_taken_only_to_a_worker_that_runs_on_this_machine(string state, string url, bool expected)
    {
        var resource = new Resource { Name = "worker-1", State = state };
        resource.Environment.Add(new EnvironmentVariable { Name = "Operators__Key", Value = Key });
        resource.Urls.Add(new Url { FullUrl = url });
        var api = new Resource { Name = "api-1", State = "Running" };
        api.Urls.Add(new Url { FullUrl = "http://localhost:4712" });
        var door = OperatorDoor.Of([api, resource]);
        Assert.Equal(expected ? new OperatorDoor(new Uri(url), Key) : null, door);
        Assert.DoesNotContain(Key, $"{door}", StringComparison.Ordinal);
    }

    private static Task<OperatorView> ViewAsync(OperatorClient client, string? queue = null, string? state = null) => OperatorView.ReadAsync(client, queue, state, Cancelled);
}
