namespace OpenHands.Dashboard;

/// <summary>Where the dashboard listens and whom it asks, under the names that Aspire's dashboard reads too.</summary>
internal sealed record DashboardOptions
{
    private const string UsualUrl = "http://localhost:18888";
    private const string UsualOtlpGrpcUrl = "http://localhost:18889";
    private const string UsualOtlpHttpUrl = "http://localhost:18890";

    /// <summary>The page.</summary>
    public required Uri Url { get; init; }

    /// <summary>OTLP over gRPC.</summary>
    public required Uri OtlpGrpcUrl { get; init; }

    /// <summary>OTLP over HTTP.</summary>
    public required Uri OtlpHttpUrl { get; init; }

    /// <summary>What a sender of telemetry must bring.</summary>
    public required string OtlpApiKey { get; init; }

    /// <summary>What a browser must bring, once.</summary>
    public required string BrowserToken { get; init; }

    /// <summary>The host's resource service; null shows telemetry only.</summary>
    public Uri? ResourceServiceUrl { get; init; }

    /// <summary>What the resource service wants.</summary>
    public string ResourceServiceApiKey { get; init; } = "";

    /// <summary>Reads the environment and the command line.</summary>
    /// <exception cref="InvalidOperationException">An address is not one of this machine, or a key is missing.</exception>
    public static DashboardOptions Read(IConfiguration configuration) => new()
    {
        Url = Address(configuration, UsualUrl, "ASPNETCORE_URLS", "URLS"),
        OtlpGrpcUrl = Address(configuration, UsualOtlpGrpcUrl, "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"),
        OtlpHttpUrl = Address(configuration, UsualOtlpHttpUrl, "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL"),
        OtlpApiKey = Secret(configuration, "Dashboard:Otlp:PrimaryApiKey"),
        BrowserToken = Secret(configuration, "Dashboard:Frontend:BrowserToken"),
        ResourceServiceUrl = string.IsNullOrEmpty(configuration["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"])
            ? null
            : Address(configuration, "", "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"),
        ResourceServiceApiKey = configuration["Dashboard:ResourceServiceClient:ApiKey"] ?? "",
    };

    private static Uri Address(IConfiguration configuration, string usual, params string[] names)
    {
        var text = names.Select(name => configuration[name]).FirstOrDefault(value => !string.IsNullOrEmpty(value)) ?? usual;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address is { Scheme: "http", IsLoopback: true }
            ? address
            : throw new InvalidOperationException($"{names[0]} is '{text}': it must be one http address of this machine, such as {UsualUrl}.");
    }

    private static string Secret(IConfiguration configuration, string name) => configuration[name] is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException(
            $"{name} is missing. The dashboard is started by the AppHost: dotnet run --project OpenHands.AppHost. By itself it needs the environment variable {name.Replace(":", "__", StringComparison.Ordinal)}.");
}
