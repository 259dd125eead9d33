using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenHands.Api;

namespace OpenHands.Tests.Support;

/// <summary>The real API in this process, on a free port of the loopback interface, without a database unless one is configured.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    /// <summary>Key of every API that is not given another one: replicas share a ring.</summary>
    public static string KeyRing { get; } = RandomNumberGenerator.GetHexString(64);

    private readonly WebApplication _app;

    private ApiHost(WebApplication app, RecordedLog log)
    {
        _app = app;
        Log = log;
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
        {
            BaseAddress = new Uri(app.Urls.Single()),
        };
    }

    /// <summary>Follows no redirects and sends no header of its own but Host.</summary>
    public HttpClient Client { get; }

    /// <summary>What the API has logged at Warning and above.</summary>
    public RecordedLog Log { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Cancelled when the API was told to end, or ends itself.</summary>
    public CancellationToken Stopping => _app.Lifetime.ApplicationStopping;

    /// <summary>Starts it with settings such as `Identity:AllowRemote=true`; <paramref name="configure"/> may add routes.</summary>
    public static async Task<ApiHost> StartAsync(IEnumerable<string> settings, Action<WebApplication>? configure = null)
    {
        var app = Build(settings);
        var log = new RecordedLog();
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        configure?.Invoke(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ApiHost(app, log);
    }

    /// <summary>Builds without starting it.</summary>
    public static WebApplication Build(IEnumerable<string> settings) => ApiApplication.Build(
    [
        "--urls=http://127.0.0.1:0", "--environment=Production", "--Logging:LogLevel:Default=Warning", "--Logging:Console:LogLevel:Default=None",
        $"--ConnectionStrings:secrets={KeyRing}",
        // Tests ask more than anybody should, and a busy machine is no lost Redis.
        "--RateLimits:Enabled=false", "--Redis:Patience=00:00:10",
        // Made-up tokens go nowhere.
        "--GitProviders:Enabled=false",
        .. settings.Select(setting => "--" + setting),
    ]);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
