using OpenHands.Benchmarks.Audit;
using OpenHands.Benchmarks.Measuring;
using OpenHands.Benchmarks.Tenancy;

var benchmarks = new Dictionary<string, (string About, Func<CancellationToken, Task<Comparison>> RunAsync)>
{
    ["row-level-security"] = ("A statement with the tenant and its policies, beside the same statement without any.", RowLevelSecurityCost.RunAsync),
    ["audited-reads"] = ("Reading a secret with its audit, beside the same without.", AuditedReads.RunAsync),
};

if (args is not [var name] || !benchmarks.TryGetValue(name, out var benchmark))
{
    var asked = args is ["--help"] or ["-h"] or ["help"];
    var output = asked ? Console.Out : Console.Error;
    output.WriteLine("Usage: dotnet run -c Release --project OpenHands.Benchmarks -- <benchmark>");
    output.WriteLine();
    foreach (var (each, (about, _)) in benchmarks)
        output.WriteLine($"  {each,-20}{about}");
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
