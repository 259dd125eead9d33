using Grpc.Core;
using OpenHands.Dashboard.Otlp.Protocol;
using OpenHands.Dashboard.Telemetry;

namespace OpenHands.Dashboard.Otlp;

/// <summary>Takes metrics over gRPC.</summary>
/// <param name="metrics">Where they are kept.</param>
internal sealed class MetricsReceiver(MetricStore metrics) : MetricsService.MetricsServiceBase
{
    /// <inheritdoc/>
    public override Task<ExportMetricsServiceResponse> Export(ExportMetricsServiceRequest request, ServerCallContext context) => Task.FromResult(Take(request));

    /// <summary>Takes one export over, however it came, and says what there was no room for.</summary>
    public ExportMetricsServiceResponse Take(ExportMetricsServiceRequest request)
    {
        var refused = metrics.Add(request);
        return refused == 0 ? new ExportMetricsServiceResponse() : new ExportMetricsServiceResponse
        {
            PartialSuccess = new ExportMetricsPartialSuccess
            {
                RejectedDataPoints = refused,
                ErrorMessage = $"No more than {MetricStore.MostSeries} series are kept, and {MetricStore.MostSeriesOfInstrument} of one instrument.",
            },
        };
    }
}
