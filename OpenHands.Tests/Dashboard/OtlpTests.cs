extern alias dashboard;

using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using dashboard::OpenHands.Dashboard.Otlp.Protocol;
using dashboard::OpenHands.Dashboard.Telemetry;
using Google.Protobuf;
using Grpc.Core;

namespace OpenHands.Tests.Dashboard;

/// <summary>How telemetry comes in, and what is refused.</summary>
public sealed class OtlpTests : IAsyncLifetime
{
    private RunningDashboard _dashboard = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _dashboard = await RunningDashboard.StartAsync();

    public ValueTask DisposeAsync() => _dashboard.DisposeAsync();

    [Fact]
    public async Task Logs_traces_and_metrics_come_in_over_gRPC()
    {
        await _dashboard.Logs.ExportAsync(Sent.Logs("a line"), RunningDashboard.Key, cancellationToken: Token);
        await _dashboard.Traces.ExportAsync(Sent.Traces(Sent.Span(1, 1, name: "GET /")), RunningDashboard.Key, cancellationToken: Token);
        await _dashboard.Metrics.ExportAsync(
            Sent.Metrics(new Metric { Name = "depth", Gauge = new Gauge { DataPoints = { new NumberDataPoint { AsInt = 7 } } } }), RunningDashboard.Key, cancellationToken: Token);

        var line = Assert.Single(_dashboard.Get<LogStore>().Find(_ => true, 10));
        Assert.Equal(("a line", "Category", "api-one", "Information"), (line.Message, line.Category, line.Source.Name, Severity.Name(line.Level)));
        var trace = Assert.Single(_dashboard.Get<TraceStore>().Find(_ => true, 10));
        Assert.Equal("GET /", trace.Root.Name);
        Assert.Equal(trace.Id, line.TraceId);
        Assert.Equal(7, Assert.Single(_dashboard.Get<MetricStore>().Find("api")).Latest);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task They_come_in_over_HTTP_too_packed_or_not(bool packed)
    {
        var answer = await PostAsync("/v1/logs", Sent.Logs("a line").ToByteArray(), RunningDashboard.OtlpKey, packed: packed);
        Assert.Equal(HttpStatusCode.OK, answer);
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/v1/traces", Sent.Traces(Sent.Span(1, 1)).ToByteArray(), RunningDashboard.OtlpKey, packed: packed));
        Assert.Equal(HttpStatusCode.OK, await PostAsync("/v1/metrics", new ExportMetricsServiceRequest().ToByteArray(), RunningDashboard.OtlpKey, packed: packed));
        Assert.Single(_dashboard.Get<LogStore>().Find(_ => true, 10));
        Assert.Single(_dashboard.Get<TraceStore>().Find(_ => true, 10));
    }

    [Fact]
    public async Task Nothing_is_taken_from_a_sender_without_the_key()
    {
        foreach (var headers in new Metadata[] { [], new() { { "x-otlp-api-key", "another" } } })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => _dashboard.Logs.ExportAsync(Sent.Logs("a line"), headers, cancellationToken: Token).ResponseAsync);
            Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
        }

        foreach (var key in new[] { null, "", "another" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync("/v1/logs", Sent.Logs("a line").ToByteArray(), key));
        }

        Assert.Empty(_dashboard.Get<LogStore>().Find(_ => true, 10));
    }

    [Fact]
    public async Task What_is_malformed_is_refused_and_what_follows_is_taken()
    {
        foreach (var rubbish in new byte[][] { [255], [10, 255, 255, 255, 255, 15], [10, 4, 10, 2, 10, 250], [.. "{\"resourceLogs\":[]}"u8] })
        {
            Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("/v1/logs", rubbish, RunningDashboard.OtlpKey));
            Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("/v1/traces", rubbish, RunningDashboard.OtlpKey));
        }

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, await PostAsync("/v1/logs", [], RunningDashboard.OtlpKey, "application/json"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync("/v1/logs", new byte[5_000_000], RunningDashboard.OtlpKey));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await PostAsync("/v1/logs", new byte[50_000_000], RunningDashboard.OtlpKey, packed: true));
        var tooLarge = await Assert.ThrowsAsync<RpcException>(() =>
            _dashboard.Logs.ExportAsync(Sent.Logs(new string('x', 5_000_000)), RunningDashboard.Key, cancellationToken: Token).ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, tooLarge.StatusCode);
        Assert.Empty(_dashboard.Get<LogStore>().Find(_ => true, 10));

        Assert.Equal(HttpStatusCode.OK, await PostAsync("/v1/logs", Sent.Logs("a line").ToByteArray(), RunningDashboard.OtlpKey));
    }

    [Fact]
    public async Task Every_port_has_its_own_paths_only()
    {
        using var page = await _dashboard.OtlpHttp.GetAsync(new Uri("/login", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        using var intake = await _dashboard.Page.PostAsync(new Uri("/v1/logs", UriKind.Relative), null, Token);
        Assert.Equal(HttpStatusCode.NotFound, intake.StatusCode);
    }

    private async Task<HttpStatusCode> PostAsync(string path, byte[] body, string? key, string type = "application/x-protobuf", bool packed = false)
    {
        using var content = new ByteArrayContent(packed ? Pack(body) : body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        if (packed)
        {
            content.Headers.ContentEncoding.Add("gzip");
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = content };
        // Asks before it sends: whoever is refused meanwhile finds the connection closed, and hears nothing.
        request.Headers.ExpectContinue = !packed && body.Length > 1_000_000;
        if (key is not null)
        {
            request.Headers.Add("x-otlp-api-key", key);
        }

        using var answer = await _dashboard.OtlpHttp.SendAsync(request, Token);
        return answer.StatusCode;
    }

    private static byte[] Pack(byte[] body)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
        {
            gzip.Write(body);
        }

        return packed.ToArray();
    }
}
