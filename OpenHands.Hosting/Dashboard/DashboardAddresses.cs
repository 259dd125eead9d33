using System.Security.Cryptography;

namespace OpenHands.Hosting.Dashboard;

/// <summary>Where a dashboard listens, and what it and its clients must know of each other.</summary>
internal sealed record DashboardAddresses
{
    private const int SecretLength = 32;

    /// <summary>The page.</summary>
    public required string Url { get; init; }

    /// <summary>OTLP over gRPC.</summary>
    public required string OtlpGrpcUrl { get; init; }

    /// <summary>OTLP over HTTP.</summary>
    public required string OtlpHttpUrl { get; init; }

    /// <summary>The host's resource service.</summary>
    public required string ResourceServiceUrl { get; init; }

    /// <summary>What a browser must bring once.</summary>
    public string BrowserToken { get; } = NewSecret();

    /// <summary>What a sender of telemetry must bring.</summary>
    public string OtlpApiKey { get; } = NewSecret();

    /// <summary>What the dashboard must bring to the resource service.</summary>
    public string ResourceServiceApiKey { get; } = NewSecret();

    /// <summary>The page with the token that opens it.</summary>
    public string LoginUrl => $"{Url}/login?t={BrowserToken}";

    /// <summary>As Aspire tells its dashboard, under the names of today and of before.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["ASPNETCORE_URLS"] = Url,
        ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = ResourceServiceUrl,
        ["DOTNET_RESOURCE_SERVICE_ENDPOINT_URL"] = ResourceServiceUrl,
        ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = OtlpGrpcUrl,
        ["DOTNET_DASHBOARD_OTLP_ENDPOINT_URL"] = OtlpGrpcUrl,
        ["ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = OtlpHttpUrl,
        ["DOTNET_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"] = OtlpHttpUrl,
        ["DASHBOARD__FRONTEND__AUTHMODE"] = "BrowserToken",
        ["DASHBOARD__FRONTEND__BROWSERTOKEN"] = BrowserToken,
        ["DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE"] = "ApiKey",
        ["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"] = ResourceServiceApiKey,
        ["DASHBOARD__OTLP__AUTHMODE"] = "ApiKey",
        ["DASHBOARD__OTLP__PRIMARYAPIKEY"] = OtlpApiKey,
        ["LOGGING__CONSOLE__FORMATTERNAME"] = "simple",
    };

    /// <summary>A key for one run: 32 random hexadecimal digits.</summary>
    public static string NewSecret() => RandomNumberGenerator.GetHexString(SecretLength, lowercase: true);
}
