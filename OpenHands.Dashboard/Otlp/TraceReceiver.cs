using Grpc.Core;
using OpenHands.Dashboard.Otlp.Protocol;
using OpenHands.Dashboard.Telemetry;

namespace OpenHands.Dashboard.Otlp;

/// <summary>Takes traces over gRPC.</summary>
/// <param name="traces">Where they are kept.</param>
internal sealed class TraceReceiver(TraceStore traces) : TraceService.TraceServiceBase
{
    /// <inheritdoc/>
    public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context) => Task.FromResult(Take(request));

    /// <summary>Takes one export over, however it came, and says what there was no room for.</summary>
    public ExportTraceServiceResponse Take(ExportTraceServiceRequest request)
    {
        var refused = traces.Add(request);
        return refused == 0 ? new ExportTraceServiceResponse() : new ExportTraceServiceResponse
        {
            PartialSuccess = new ExportTracePartialSuccess { RejectedSpans = refused, ErrorMessage = $"Spans without ids, or of a trace with more than {TraceStore.MostSpans} spans, are not kept." },
        };
    }
}
