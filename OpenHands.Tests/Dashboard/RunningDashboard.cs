extern alias dashboard;

using dashboard::OpenHands.Dashboard;
using dashboard::OpenHands.Dashboard.Otlp.Protocol;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Dashboard;

/// <summary>The dashboard on free ports, without an application.</summary>
internal sealed class RunningDashboard : IAsyncDisposable
{
    public const string Token = "browser-token-of-this-test";
    public const string OtlpKey = "otlp-key-of-this-test";
    private readonly List<PortReservation> _ports;
    private readonly WebApplication _app;
    private readonly GrpcChannel _channel;

    private RunningDashboard(List<PortReservation> ports, WebApplication app)
    {
        (_ports, _app) = (ports, app);
        _channel = GrpcChannel.ForAddress(Address(ports[1]));
        Page = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = true }) { BaseAddress = Address(ports[0]) };
        OtlpHttp = new HttpClient { BaseAddress = Address(ports[2]) };
    }

    /// <summary>A browser, as far as addresses and cookies go.</summary>
    public HttpClient Page { get; }

    /// <summary>The port that takes telemetry over HTTP.</summary>
    public HttpClient OtlpHttp { get; }

    public static Metadata Key { get; } = new() { { "x-otlp-api-key", OtlpKey } };

    public LogsService.LogsServiceClient Logs => new(_channel);

    public TraceService.TraceServiceClient Traces => new(_channel);

    public MetricsService.MetricsServiceClient Metrics => new(_channel);

    public T Get<T>()
        where T : notnull => (T)_app.Services.GetService(typeof(T))!;

    public static async Task<RunningDashboard> StartAsync()
    {
        List<PortReservation> ports = [PortReservation.Any(), PortReservation.Any(), PortReservation.Any()];
        // The settings file beside the tests is another program's.
        var app = DashboardApplication.Build([.. Arguments(ports), "--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Warning"]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new RunningDashboard(ports, app);
    }

    public static IEnumerable<string> Arguments(IReadOnlyList<PortReservation> ports) =>
    [
        $"--ASPNETCORE_URLS={Address(ports[0])}",
        $"--ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL={Address(ports[1])}",
        $"--ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL={Address(ports[2])}",
        $"--Dashboard:Otlp:PrimaryApiKey={OtlpKey}",
        $"--Dashboard:Frontend:BrowserToken={Token}",
    ];

    public async ValueTask DisposeAsync()
    {
        Page.Dispose();
        OtlpHttp.Dispose();
        _channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _ports.ForEach(port => port.Dispose());
    }

    private static Uri Address(PortReservation port) => new($"http://localhost:{port.Port}");
}
