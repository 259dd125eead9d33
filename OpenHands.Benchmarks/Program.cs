using OpenHands.Benchmarks.Audit;
using OpenHands.Benchmarks.Chaos;
using OpenHands.Benchmarks.Dashboard;
using OpenHands.Benchmarks.Locks;
using OpenHands.Benchmarks.Queues;
using OpenHands.Benchmarks.RateLimits;
using OpenHands.Benchmarks.Sessions;
using OpenHands.Benchmarks.Tenancy;

var benchmarks = new Dictionary<string, (string About, Func<CancellationToken, Task<object>> RunAsync)>
{
    ["row-level-security"] = ("A statement with the tenant and its policies, beside the same statement without any.", async stop => await RowLevelSecurityCost.RunAsync(stop)),
    ["audited-reads"] = ("Reading a secret with its audit, beside the same without.", async stop => await AuditedReads.RunAsync(stop)),
    ["locks"] = ("Taking and releasing a lock, beside DistributedLock.Redis, RedLock.net and a bare nextval.", async stop => await LockCost.RunAsync(stop)),
    ["rate-limits"] = ("A decision of the limiter, beside a bare EVALSHA and npm's rate-limiter-flexible.", async stop => await LimiterCost.RunAsync(stop)),
    ["session-read"] = ("GET of a session that is kept in Redis, beside a bare minimal API.", async stop => await SessionCost.ReadAsync(stop)),
    ["queue-tasks"] = ("Enqueuing, leasing and completing tasks, beside pg-boss, graphile-worker, Hangfire and BullMQ.", async stop => await QueueTasks.RunAsync(stop)),
    ["queue-start"] = ("From the commit of a task until its handler starts, at 200 tasks a second, beside graphile-worker and BullMQ.", async stop => await QueueStart.RunAsync(stop)),
    ["queue-enqueue"] = ("Enqueuing beside a plain INSERT, where a commit takes 2 ms.", async stop => await QueueEnqueue.RunAsync(stop)),
    ["dashboard"] = ("Answers of the API without a dashboard, with one, and with its page open.", async stop => await DashboardCost.RunAsync(stop)),
    ["session-patch"] = ("PATCH of a session, beside a minimal API with Npgsql by hand.", async stop => await SessionCost.PatchAsync(stop)),
};

// Processes that a run of chaos starts and kills.
if (args is [ChaosWorker.Verb, .. var ofWorker])
    return await ChaosWorker.RunAsync(ofWorker);
if (args is [ChaosApi.Verb, .. var ofApi])
    return await ChaosApi.RunAsync(ofApi);
if (args is [ChaosCommand.Verb, .. var ofChaos])
    return await ChaosCommand.RunAsync(ofChaos, Console.Out, CancellationToken.None);

// What a benchmark starts to give it a processor of its own.
if (args is [SecretReaders.Verb])
    return await SecretReaders.RunAsync();

// A process that a test stops and lets go on.
if (args is [LockHolder.Verb, .. var ofHolder])
    return await LockHolder.RunAsync(ofHolder);

// What a benchmark starts: a server, or a client of a queue, in a process of its own.
if (args is [QueueClientCommand.Verb, var peer])
{
    await QueueClientCommand.RunAsync(peer, CancellationToken.None);
    return 0;
}

if (args is ["serve", var kind])
{
    await ServeCommand.RunAsync(kind, CancellationToken.None);
    return 0;
}

if (args is ["queue-tasks", .. { Length: > 0 } queues])
{
    Console.WriteLine(await QueueTasks.RunAsync(queues, CancellationToken.None));
    return 0;
}

if (args is not [var name] || !benchmarks.TryGetValue(name, out var benchmark))
{
    var asked = args is ["--help"] or ["-h"] or ["help"];
    var output = asked ? Console.Out : Console.Error;
    output.WriteLine("Usage: dotnet run -c Release --project OpenHands.Benchmarks -- <benchmark>");
    output.WriteLine();
    foreach (var (each, (about, _)) in benchmarks)
        output.WriteLine($"  {each,-20}{about}");
    output.WriteLine($"  {ChaosCommand.Verb,-20}Faults at random against workers, API, Redis and PostgreSQL under load: {ChaosCommand.Usage}");
    return asked ? 0 : 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
try
{
    Console.WriteLine(await benchmark.RunAsync(stop.Token));
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
