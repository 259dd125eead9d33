using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;
using OpenHands.Hosting.Projects;

namespace OpenHands.Tests.Hosting.Recorded;

/// <summary>Every resource gets what the real Aspire gives it, value by value.</summary>
public sealed partial class ProjectEnvironmentTests
{
    private const string OtlpKey = "otlp-key-of-this-test";
    private static readonly Dictionary<string, int> Ports = new() { ["postgres"] = 40000, ["redis"] = 40001, ["api"] = 3000, ["worker"] = 40002 };
    private static readonly Dictionary<string, int> TargetPorts = new() { ["api"] = 50000, ["worker"] = 50002 };

    // The model got the operators' key after the recording was made.
    private static readonly string[] Since = ["operators-key type ParameterResource", "worker env Operators__Key=<generated>"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Resources_get_what_the_recorded_run_of_Aspire_gave_them()
    {
        await using var application = await DescribedApplication.CreateAsync("--Dashboard:OtlpEndpoint=http://localhost:19077", $"--Dashboard:OtlpApiKey={OtlpKey}");
        Allocate(application.Resources);
        var secrets = new List<string> { OtlpKey };
        var facts = new List<string>();
        foreach (var resource in application.Resources)
        {
            if (resource is ParameterResource parameter)
            {
                secrets.Add((await parameter.GetValueAsync(Token))!);
            }

            facts.AddRange((await FactsAsync(resource, application.ExecutionContext)).Select(fact => $"{resource.Name} {fact}"));
        }

        Assert.Equal(
            Recording.Lines("recorded-run-environment.txt").Concat(Since).Order(StringComparer.Ordinal),
            facts.Select(fact => Mask(fact, secrets)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Outside_development_telemetry_is_not_hurried()
    {
        var builder = DistributedApplication.CreateBuilder(["--environment=Production", "--Dashboard:OtlpEndpoint=http://localhost:19077"]);
        var context = new EnvironmentCallbackContext(builder.ExecutionContext);
        ProjectEnvironment.Add(new ProjectResource("api"), builder, context);
        Assert.Equal(
            [
                "DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION", "LOGGING__CONSOLE__FORMATTERNAME", "OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY",
                "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
            ],
            context.EnvironmentVariables.Keys.Order(StringComparer.Ordinal));
    }

    private static void Allocate(IEnumerable<IResource> resources)
    {
        foreach (var resource in resources)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, endpoint.TargetHost, Ports[resource.Name]);
            }
        }
    }

    private static async Task<IEnumerable<string>> FactsAsync(IResource resource, DistributedApplicationExecutionContext executionContext)
    {
        var facts = new List<string> { $"type {resource.GetType().Name}" };
        facts.AddRange(resource.Annotations.Select(Fact).OfType<string>());
        if (resource is IResourceWithConnectionString connectionString)
        {
            facts.Add($"connectionString {await connectionString.GetConnectionStringAsync(Token)}");
        }

        var arguments = await ResourceConfiguration.ArgumentsAsync(resource, Token);
        for (var i = 0; i < arguments.Count; i++)
        {
            facts.Add($"arg {i} {await ResourceConfiguration.ResolveAsync(arguments[i], Token)}");
        }

        foreach (var (name, value) in await EnvironmentAsync(resource, executionContext))
        {
            facts.Add($"env {name}={await ResourceConfiguration.ResolveAsync(value, Token)}");
        }

        return facts;
    }

    private static async Task<Dictionary<string, object>> EnvironmentAsync(IResource resource, DistributedApplicationExecutionContext executionContext)
    {
        var variables = await new ResourceConfiguration(executionContext).EnvironmentAsync(resource, Token);
        if (resource is ProjectResource project)
        {
            var targets = project.Annotations.OfType<EndpointAnnotation>().Select(endpoint => (endpoint, TargetPorts[project.Name])).ToList();
            ProjectEnvironment.AddReplica(variables, project, "<replica>", targets);
        }

        return variables;
    }

    private static string? Fact(IResourceAnnotation annotation) => annotation switch
    {
        EndpointAnnotation endpoint => $"endpoint {endpoint.Name} {endpoint.UriScheme} port={endpoint.Port} target={endpoint.TargetPort} "
            + $"external={endpoint.IsExternal} proxied={endpoint.IsProxied} transport={endpoint.Transport} host={endpoint.TargetHost}",
        WaitAnnotation wait => $"wait {wait.WaitType} {wait.Resource.Name}{(wait.WaitBehavior is null ? "" : $" {wait.WaitBehavior}")}",
        ResourceRelationshipAnnotation relation => $"relation {relation.Type} {relation.Resource.Name}",
        HealthCheckAnnotation check => $"healthcheck {check.Key}",
        ContainerImageAnnotation image => $"image {image.Registry}/{image.Image}:{image.Tag}",
        ContainerMountAnnotation mount => $"mount {mount.Type} {mount.Source} {mount.Target} readOnly={mount.IsReadOnly}",
        _ => null,
    };

    private static string Mask(string fact, List<string> secrets) =>
        VolumeHash().Replace(secrets.Aggregate(fact, (text, secret) => text.Replace(secret, "<generated>", StringComparison.Ordinal)), "openhands.apphost-<hash>-");

    [GeneratedRegex("openhands\\.apphost-[0-9a-f]{10}-")]
    private static partial Regex VolumeHash();
}
