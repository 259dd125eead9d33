using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Tests.Hosting.Recorded;

/// <summary>In publish mode the model holds the expressions that the real Aspire writes into its manifest.</summary>
public sealed class ManifestTests
{
    private static readonly string Checkout = Path.GetDirectoryName(Projects.OpenHands_AppHost.ProjectPath)!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--operation=publish")]
    [InlineData("--publisher=manifest")]
    public async Task A_published_model_says_what_the_recorded_manifest_says(string argument)
    {
        await using var application = await DescribedApplication.CreateAsync(argument);
        Assert.True(application.ExecutionContext.IsPublishMode);
        var facts = new List<string>();
        foreach (var resource in application.Resources)
        {
            facts.AddRange((await FactsAsync(resource, application.ExecutionContext)).Select(fact => $"{resource.Name} {fact}"));
        }

        Assert.Equal(Recording.Lines("recorded-manifest.txt").Order(StringComparer.Ordinal), facts.Order(StringComparer.Ordinal));
    }

    private static async Task<IEnumerable<string>> FactsAsync(IResource resource, DistributedApplicationExecutionContext executionContext)
    {
        var facts = resource.Annotations.Select(Fact).OfType<string>().ToList();
        if (resource is ParameterResource { Default: GenerateParameterDefault generated } parameter)
        {
            facts.Add($"parameter secret={parameter.Secret} minLength={generated.MinLength} special={generated.Special}");
        }

        if (resource is IResourceWithConnectionString connectionString)
        {
            facts.Add($"connectionString {connectionString.ConnectionStringExpression.ValueExpression}");
        }

        if (resource is ProjectResource)
        {
            var arguments = await ResourceConfiguration.ArgumentsAsync(resource, Token);
            facts.AddRange(arguments.Select((argument, i) => $"arg {i} {Expression(argument)}"));
        }

        var variables = await new ResourceConfiguration(executionContext).EnvironmentAsync(resource, Token);
        facts.AddRange(variables.Select(variable => $"env {variable.Key}={Expression(variable.Value)}"));
        return facts;
    }

    private static string? Fact(IResourceAnnotation annotation) => annotation switch
    {
        // Aspire leaves out a port that equals the target port.
        EndpointAnnotation endpoint => $"binding {endpoint.Name} scheme={endpoint.UriScheme} protocol={endpoint.Protocol.ToString().ToLowerInvariant()} "
            + $"transport={endpoint.Transport} port={(endpoint.Port == endpoint.TargetPort ? null : endpoint.Port)} targetPort={endpoint.TargetPort} external={endpoint.IsExternal}",
        ContainerImageAnnotation image => $"image {image.Registry}/{image.Image}:{image.Tag}",
        ContainerMountAnnotation mount => $"volume {mount.Source} {mount.Target} readOnly={mount.IsReadOnly}",
        IProjectMetadata project => $"path {Path.GetRelativePath(Checkout, project.ProjectPath)}",
        _ => null,
    };

    private static string Expression(object value) => value switch
    {
        string text => text,
        IManifestExpressionProvider provider => provider.ValueExpression,
        _ => throw new InvalidOperationException($"{value.GetType()} has no expression."),
    };
}
