extern alias dashboard;

using System.Diagnostics;
using System.Globalization;
using dashboard::OpenHands.Dashboard.Otlp.Protocol;
using Grpc.Core;
using Grpc.Net.Client;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Projects;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Dashboard;

/// <summary>The dashboard as a process: what it costs, however much is sent.</summary>
public sealed class MemoryTests
{
    private const long MostKilobytes = 250 * 1024;
    private static readonly Metadata Key = RunningDashboard.Key;

    [Fact]
    public async Task A_flood_of_spans_and_lines_leaves_it_below_250_MB()
    {
        List<PortReservation> ports = [PortReservation.Any(), PortReservation.Any(), PortReservation.Any()];
        using var process = Process.Start(new ProcessStartInfo(ProjectAssemblies.Dotnet, ["exec", Program(), .. RunningDashboard.Arguments(ports)]))!;
        try
        {
            using var channel = GrpcChannel.ForAddress($"http://localhost:{ports[1].Port}");
            var traces = new TraceService.TraceServiceClient(channel);
            var logs = new LogsService.LogsServiceClient(channel);
            await Eventually.TrueAsync("the dashboard takes telemetry", async () => await IsTakenAsync(() => logs.ExportAsync(Sent.Logs("first"), Key)));

            var detail = new string('x', 1000);
            for (var batch = 0; batch < 200; batch++)
            {
                var spans = Enumerable.Range(0, 500).Select(i =>
                {
                    var span = Sent.Span((batch * 50) + (i / 10) + 1, i + 1);
                    span.Attributes.Add(Sent.Attribute("db.query.text", $"{batch} {i} {detail}"));
                    return span;
                });
                await traces.ExportAsync(Sent.Traces(spans), Key, cancellationToken: TestContext.Current.CancellationToken);
                await logs.ExportAsync(Sent.Logs(Enumerable.Range(0, 500).Select(i => $"{batch} {i} {detail}")), Key, cancellationToken: TestContext.Current.CancellationToken);
            }

            Assert.InRange(await KilobytesAsync(process.Id), 1, MostKilobytes);
            Assert.False(process.HasExited);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            ports.ForEach(port => port.Dispose());
        }
    }

    private static string Program()
    {
        var output = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var (framework, configuration) = (Path.GetFileName(output), Path.GetFileName(Path.GetDirectoryName(output))!);
        return Path.Combine(Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!, "OpenHands.Dashboard", "bin", configuration, framework, "OpenHands.Dashboard.dll");
    }

    private static async Task<bool> IsTakenAsync(Func<AsyncUnaryCall<ExportLogsServiceResponse>> exportAsync)
    {
        try
        {
            await exportAsync();
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Unavailable)
        {
            return false;
        }
    }

    /// <summary>The most it ever took.</summary>
    private static async Task<long> KilobytesAsync(int process)
    {
        var lines = await File.ReadAllLinesAsync($"/proc/{process}/status", TestContext.Current.CancellationToken);
        return long.Parse(lines.Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
