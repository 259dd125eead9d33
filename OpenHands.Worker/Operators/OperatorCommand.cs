using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Queues;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Operators;

/// <summary>The verbs <c>queues</c> and <c>tasks</c>: what operators of the whole platform see and do, at a terminal.</summary>
internal sealed class OperatorCommand(SystemQueues system, SystemTaskQueue producer, QueueRules rules, TextWriter output, TextWriter error, bool json)
{
    /// <summary>What can be asked for.</summary>
    public const string Usage = """
        Usage: OpenHands.Worker queues|tasks <what> [--json] [--ConnectionStrings:openhands-system=…]

          queues list                              Every queue: depth, age of the oldest, running, retrying, dead.
          queues minutes [--minutes <1-1440>]      What became of tasks, minute by minute (60).
          queues workers                           The workers that there are.
          queues pause|resume <queue>              Lets nothing of it start; lets it start again.
          queues limit <queue> [--most <n>] [--most-per-tenant <n>]   At a time, over all workers; without a number no limit.
          queues weight <queue> <fairness key> <1-1000>               A share of the queue; 1 for who is not named.

          tasks list [--queue <name>] [--status <status>] [--type <type>] [--most <1-1000>]   Newest first.
          tasks show <id>                          Everything about one, its payload included.
          tasks cancel <id>                        Calls it off, also while it runs.
          tasks replay <id>                        Runs a dead letter or a cancelled task again, with all its attempts.
          tasks replay-dead <queue> [--most <n>]   The same for the dead letters of a queue, oldest first (1000).
          tasks purge <queue> <status>             Deletes; never what runs.
          tasks enqueue <queue> <type> [<payload, JSON>]
          tasks refused [--queue <name>]           Pushed values that are no tasks.
          tasks replay-refused <id>                Judges one of them again: what is a task now waits.

        States: scheduled, waiting, leased, done, cancelled, dead. Exit codes: 0 done, 1 not possible, 2 not understood.
        Connection strings: openhands-system, and redis for a prompt start of what is enqueued.
        """;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Does what the arguments say.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        if (args.Any(arg => arg is "--help" or "-h") || args is [_, "help"])
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }

        var line = OperatorLine.Parse(args);
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(line.Configuration).Build();
        if (line.Complaint is { } complaint)
            return await ComplainAsync(error, complaint);
        if (configuration.GetConnectionString(ConnectionStrings.System) is not { Length: > 0 } connection)
            return await FailAsync(error, "The connection string openhands-system is needed: set ConnectionStrings__openhands-system.");

        try
        {
            await using var services = OperatorServices.Build(connection, configuration.GetConnectionString(ConnectionStrings.Redis));
            var command = new OperatorCommand(
                services.GetRequiredService<SystemQueues>(), services.GetRequiredService<SystemTaskQueue>(), services.GetRequiredService<QueueRules>(), output, error, line.Json);
            return await command.DoAsync(line, CancellationToken.None);
        }
        catch (Exception away) when (PostgresAbsence.Explains(away) || away is ArgumentException)
        {
            return await FailAsync(error, away is ArgumentException ? away.Message.Split(" (Parameter")[0] : $"PostgreSQL did not do it: {away.Message}");
        }
    }

    private async Task<int> DoAsync(OperatorLine line, CancellationToken cancellationToken)
    {
        var (db, tasks) = system.Open();
        await using (db)
        {
            return line.Words switch
            {
                ["queues"] or ["queues", "list"] => await ShowAsync(await tasks.QueuesAsync(cancellationToken)),
                ["queues", "minutes"] => await ShowAsync(await system.MinutesAsync(line.Number("minutes", 60), cancellationToken)),
                ["queues", "workers"] => await ShowAsync(await system.WorkersAsync(cancellationToken)),
                ["queues", "pause" or "resume", var queue] => await PauseAsync(queue, line.Words[1] == "pause", cancellationToken),
                ["queues", "limit", var queue] => await LimitAsync(queue, line, cancellationToken),
                ["queues", "weight", var queue, var key, var weight] when int.TryParse(weight, out var number) && number is >= 1 and <= 1000 =>
                    await DoneAsync(rules.SetWeightAsync(queue, key, number, cancellationToken)),
                ["tasks"] or ["tasks", "list"] => await ShowAsync(await tasks.TasksAsync(
                    new TaskFilter(line.Text("queue"), line.Text("status"), line.Text("type")), null, line.Number("most", 50), cancellationToken)),
                ["tasks", "show", var id] => await tasks.FindAsync(id, cancellationToken) is { } task ? await ShowAsync(task) : await AnswerAsync(TaskChange.NotFound),
                ["tasks", "cancel", var id] => await AnswerAsync(await tasks.CancelAsync(id, cancellationToken)),
                ["tasks", "replay", var id] => await AnswerAsync(await tasks.ReplayAsync(id, cancellationToken)),
                ["tasks", "replay-dead", var queue] => await CountAsync(await tasks.ReplayAllAsync(queue, line.Number("most", 1000), cancellationToken)),
                ["tasks", "purge", var queue, var status] when QueuedTaskStatus.All.Contains(status) && status != QueuedTaskStatus.Leased =>
                    await CountAsync(await tasks.PurgeAsync(queue, status, cancellationToken)),
                ["tasks", "enqueue", var queue, var type] => await EnqueueAsync(new NewTask(queue, type), cancellationToken),
                ["tasks", "enqueue", var queue, var type, var payload] => Read(payload) is { } read
                    ? await EnqueueAsync(new NewTask(queue, type, read), cancellationToken)
                    : await FailAsync(error, "The payload is not JSON."),
                ["tasks", "replay-refused", var id] => await system.ReplayRefusedAsync(id, cancellationToken) is var replay && replay.Reason is { } reason
                    ? await FailAsync(error, $"It is still no task: {reason}")
                    : await AnswerAsync(replay.Change),
                ["tasks", "refused"] => await ShowAsync(await system.RefusedAsync(line.Text("queue"), line.Number("most", 50), cancellationToken)),
                _ => await ComplainAsync(error, $"'{string.Join(' ', line.Words)}' is not understood."),
            };
        }
    }

    private async Task<int> PauseAsync(string queue, bool pause, CancellationToken cancellationToken)
    {
        var rule = (await rules.ReadAsync(cancellationToken)).GetValueOrDefault(queue) ?? new QueueRule(queue, false, null, null);
        return await DoneAsync(rules.SetAsync(rule with { IsPaused = pause }, cancellationToken));
    }

    private async Task<int> LimitAsync(string queue, OperatorLine line, CancellationToken cancellationToken)
    {
        var rule = (await rules.ReadAsync(cancellationToken)).GetValueOrDefault(queue) ?? new QueueRule(queue, false, null, null);
        return await DoneAsync(rules.SetAsync(
            rule with { MaxRunning = line.NumberOrNull("most"), MaxRunningPerTenant = line.NumberOrNull("most-per-tenant") }, cancellationToken));
    }

    private async Task<int> EnqueueAsync(NewTask task, CancellationToken cancellationToken)
    {
        var ids = await producer.EnqueueAsync([task], cancellationToken);
        await output.WriteLineAsync(json ? JsonSerializer.Serialize(new { Id = ids[0] }, Json) : ids[0]);
        return 0;
    }

    private async Task<int> ShowAsync<T>(IReadOnlyList<T> rows)
    {
        await output.WriteLineAsync(json ? JsonSerializer.Serialize(rows, Json) : TextTable.Of(rows));
        return 0;
    }

    private async Task<int> ShowAsync(TaskDetail task)
    {
        var node = JsonSerializer.SerializeToNode(task, Json)!.AsObject(); // an object
        foreach (var member in new[] { "payload", "progress", "result" })
            node[member] = node[member] is { } text ? JsonNode.Parse((string)text!) : null;
        await output.WriteLineAsync(node.ToJsonString(Json));
        return 0;
    }

    private Task<int> AnswerAsync(TaskChange change) => change switch
    {
        TaskChange.Done => DoneAsync(Task.CompletedTask),
        TaskChange.NotFound => FailAsync(error, "There is no such task."),
        _ => FailAsync(error, "The task is in a state in which this cannot be done; tasks show says which."),
    };

    private async Task<int> CountAsync(int count)
    {
        await output.WriteLineAsync(json ? JsonSerializer.Serialize(new { Count = count }, Json) : $"{count} tasks");
        return 0;
    }

    private async Task<int> DoneAsync(Task change)
    {
        await change;
        await output.WriteLineAsync(json ? "{}" : "done");
        return 0;
    }

    private static JsonNode? Read(string payload)
    {
        try
        {
            return JsonNode.Parse(payload);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<int> FailAsync(TextWriter error, string message)
    {
        await error.WriteLineAsync(message);
        return WorkerProgram.Failed;
    }

    private static async Task<int> ComplainAsync(TextWriter error, string complaint)
    {
        await error.WriteLineAsync(complaint);
        await error.WriteLineAsync();
        await error.WriteLineAsync(Usage);
        return WorkerProgram.NotUnderstood;
    }
}
