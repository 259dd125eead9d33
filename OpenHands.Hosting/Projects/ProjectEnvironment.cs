using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Dashboard;

namespace OpenHands.Hosting.Projects;

/// <summary>The environment variables that every project gets, as Aspire writes them.</summary>
internal static class ProjectEnvironment
{
    /// <summary>Variables meant for the AppHost or its parent that a project must not take for its own.</summary>
    public static readonly IReadOnlyList<string> NotInherited =
    [
        "ASPNETCORE_URLS", "ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "DOTNET_URLS", "HTTP_PORTS", "HTTPS_PORTS", "DOTNET_LAUNCH_PROFILE",
        "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL",
        "DOTNET_DASHBOARD_OTLP_ENDPOINT_URL", "DOTNET_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "DOTNET_RESOURCE_SERVICE_ENDPOINT_URL",
        "ASPIRE_ALLOW_UNSECURED_TRANSPORT", "ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS", "ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN",
    ];

    /// <summary>Adds what does not depend on the replica.</summary>
    public static void Add(ProjectResource project, IDistributedApplicationBuilder application, EnvironmentCallbackContext context)
    {
        var variables = context.EnvironmentVariables;
        variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
        if (context.ExecutionContext.IsPublishMode)
        {
            AddPublished(project, variables);
            return;
        }

        variables["DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"] = "true";
        variables["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";
        var telemetry = application.Services.Select(service => service.ImplementationInstance).OfType<TelemetryTarget>().Single();
        if (telemetry.Endpoint is { } endpoint)
        {
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint;
            variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
            if (telemetry.ApiKey is { } key)
            {
                variables["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={key}";
            }
        }

        if (application.Environment.IsDevelopment())
        {
            AddDevelopment(variables);
        }
    }

    /// <summary>Adds what tells one replica from another: its own ports and its identity in telemetry.</summary>
    public static void AddReplica(
        Dictionary<string, object> variables, ProjectResource project, string suffix, IReadOnlyList<(EndpointAnnotation Endpoint, int TargetPort)> targets)
    {
        variables["OTEL_SERVICE_NAME"] = project.Name;
        variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={suffix}";
        var urls = targets.Where(target => target.Endpoint.UriScheme is "http" or "https")
            .Select(target => $"{target.Endpoint.UriScheme}://localhost:{target.TargetPort}").ToList();
        if (urls.Count > 0)
        {
            variables.TryAdd("ASPNETCORE_URLS", string.Join(';', urls));
        }
    }

    private static void AddDevelopment(Dictionary<string, object> variables)
    {
        variables["OTEL_BLRP_SCHEDULE_DELAY"] = "1000";
        variables["OTEL_BSP_SCHEDULE_DELAY"] = "1000";
        variables["OTEL_METRIC_EXPORT_INTERVAL"] = "1000";
        variables["OTEL_TRACES_SAMPLER"] = "always_on";
        variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
        variables["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true";
        variables["OTEL_DOTNET_EXPERIMENTAL_ASPNETCORE_DISABLE_URL_QUERY_REDACTION"] = "true";
        variables["OTEL_DOTNET_EXPERIMENTAL_HTTPCLIENT_DISABLE_URL_QUERY_REDACTION"] = "true";
    }

    private static void AddPublished(ProjectResource project, Dictionary<string, object> variables)
    {
        var endpoints = project.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.UriScheme == "http").ToList();
        if (endpoints.Count == 0)
        {
            return;
        }

        variables["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true";
        variables["HTTP_PORTS"] = new EndpointReference(project, endpoints[0].Name).Property(EndpointProperty.TargetPort);
    }
}
