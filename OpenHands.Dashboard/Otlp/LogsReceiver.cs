using Grpc.Core;
using OpenHands.Dashboard.Otlp.Protocol;
using OpenHands.Dashboard.Telemetry;

namespace OpenHands.Dashboard.Otlp;

/// <summary>Takes logs over gRPC.</summary>
/// <param name="logs">Where they are kept.</param>
internal sealed class LogsReceiver(LogStore logs) : LogsService.LogsServiceBase
{
    /// <inheritdoc/>
    public override Task<ExportLogsServiceResponse> Export(ExportLogsServiceRequest request, ServerCallContext context) => Task.FromResult(Take(request));

    /// <summary>Takes one export over, however it came.</summary>
    public ExportLogsServiceResponse Take(ExportLogsServiceRequest request)
    {
        logs.Add(request);
        return new ExportLogsServiceResponse();
    }
}
