using Aspire.Hosting;
using Microsoft.Extensions.Configuration;

namespace OpenHands.Hosting.Dashboard;

/// <summary>Which dashboard shows the application, as the command line and the environment say.</summary>
/// <param name="configuration">The AppHost's configuration.</param>
/// <param name="wanted">True when there is to be one unless the configuration says otherwise.</param>
internal sealed class DashboardSettings(IConfiguration configuration, bool wanted)
{
    /// <summary>The port that Aspire's dashboard has as well.</summary>
    public const int UsualPort = 18888;

    private const string ResourceServiceUrlName = "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL";
    private const string OtlpUrlName = "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL";
    private const string UsualResourceServiceUrl = "http://localhost:18891";
    private const string UsualOtlpUrl = "http://localhost:18889";

    /// <summary>True when a dashboard shows the application.</summary>
    public bool Enabled { get; } = configuration.GetValue("Dashboard:Enabled", wanted);

    /// <summary>The program that is started instead of ours; null starts ours.</summary>
    public string? Command => NonEmpty("Dashboard:Command");

    /// <summary>The dashboard that somebody else runs; null starts one.</summary>
    public string? Url => NonEmpty("Dashboard:Url");

    /// <summary>The port that was asked for; null takes the usual one when it is free.</summary>
    public int? Port => configuration.GetValue<int?>("Ports:Dashboard");

    /// <summary>Where the telemetry goes when it does not go to the dashboard that is started.</summary>
    public string? OtlpEndpoint => NonEmpty("Dashboard:OtlpEndpoint");

    /// <summary>The key that goes with it.</summary>
    public string? OtlpApiKey => NonEmpty("Dashboard:OtlpApiKey");

    /// <summary>Where a dashboard that runs by itself takes OTLP over gRPC.</summary>
    public string ForeignOtlpEndpoint => OtlpEndpoint ?? NonEmpty(OtlpUrlName) ?? UsualOtlpUrl;

    /// <summary>The key of the resource service; only a dashboard that runs by itself must be told beforehand.</summary>
    /// <exception cref="DistributedApplicationException">There is none.</exception>
    public string ForeignResourceServiceApiKey => NonEmpty("Dashboard:ResourceServiceApiKey") ?? throw new DistributedApplicationException(
        "--Dashboard:Url needs --Dashboard:ResourceServiceApiKey=<key>, the one that dashboard was started with as "
        + "DASHBOARD__RESOURCESERVICECLIENT__APIKEY (with DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE=ApiKey and "
        + $"{ResourceServiceUrlName}={ForeignResourceServiceUrl}).");

    /// <summary>Where a dashboard that runs by itself expects the resource service.</summary>
    /// <exception cref="DistributedApplicationException">It is not an address of this machine.</exception>
    public Uri ForeignResourceServiceUrl
    {
        get
        {
            var text = NonEmpty(ResourceServiceUrlName) ?? UsualResourceServiceUrl;
            return Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "http", IsLoopback: true }
                ? url
                : throw new DistributedApplicationException($"{ResourceServiceUrlName} is '{text}'; it must be an http address of this machine, such as {UsualResourceServiceUrl}.");
        }
    }

    private string? NonEmpty(string key) => configuration[key] is { Length: > 0 } value ? value : null;
}
