namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>The checks are checked: each of these faults, made on purpose in what production renders, is found.</summary>
public sealed class BrokenManifestTests
{
    private static readonly Lazy<Task<string>> Production = new(() => Kubectl.RenderAsync("overlays/production"));

    [Theory]
    [InlineData("targetPort: 8080", "targetPort: 8081", "Service api: port 8080 leads to 8081, which no pod has")]
    [InlineData("clusterIP: None", "clusterIP: 10.0.0.1", "postgres-headless is not a headless Service")]
    [InlineData("      app: api\n  strategy", "      app: other\n  strategy", "Deployment api: its selector does not match its pods")]
    [InlineData("serviceName: redis-headless", "serviceName: redis", "StatefulSet redis: redis is not a headless Service")]
    [InlineData("port: http\n          periodSeconds: 10", "port: https\n          periodSeconds: 10", "a probe asks port https")]
    [InlineData("minReplicas: 3", "minReplicas: 30", "HorizontalPodAutoscaler api: at least 30 and at most 10")]
    [InlineData("    kind: Deployment\n    name: worker", "    kind: Deployment\n    name: workers", "there is no Deployment workers")]
    [InlineData("image: registry.example.com/api:1.0.0", "image: registry.example.com/api", "is not pinned")]
    [InlineData("image: registry.example.com/api:1.0.0", "image: registry.example.com/api:latest", "is not pinned")]
    [InlineData("runAsNonRoot: true", "runAsNonRoot: false", "may be root")]
    [InlineData("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "privileges are not dropped")]
    [InlineData("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write to its own file system")]
    [InlineData("automountServiceAccountToken: false", "automountServiceAccountToken: true", "carries a token")]
    [InlineData("            memory: 256Mi\n", "            ephemeral-storage: 256Mi\n", "no request of cpu and memory")]
    [InlineData("name: openhands-key-ring", "name: openhands-keyring", "there is no Secret openhands-keyring")]
    [InlineData("            name: worker-env", "            name: workers-env", "there is no ConfigMap workers-env")]
    [InlineData("claimName: postgres-backups", "claimName: backups", "there is no PersistentVolumeClaim backups")]
    [InlineData("          name: tmp\n      enableServiceLinks", "          name: temp\n      enableServiceLinks", "there is no volume temp")]
    [InlineData("Maximum\n            Pool Size=$(API_POOL)", "Maximum\n            Pool Size=$(API_POOLS)", "is made of API_POOLS, which is not there")]
    [InlineData("              name: http\n        path: /", "              name: https\n        path: /", "there is no Service api with port https")]
    [InlineData("  tls:\n  - hosts:\n    - openhands.example.com", "  tls:\n  - hosts:\n    - www.example.com", "openhands.example.com has no TLS")]
    [InlineData("  POSTGRES_ADMIN: postgres", "  POSTGRES_PASSWORD: example", "holds a secret in the clear")]
    [InlineData("DATABASE: Host=", "DATABASE: Password=example;Host=", "holds a secret in the clear")]
    [InlineData("schedule: 15 2 * * *", "schedule: 15 25 * * *", "is no schedule")]
    [InlineData("      app: api\n---\napiVersion: policy/v1", "      app: apis\n---\napiVersion: policy/v1", "PodDisruptionBudget api: selects no pods")]
    [InlineData("  name: worker-env\n  namespace: openhands", "  name: api-env\n  namespace: openhands", "ConfigMap api-env: twice")]
    public async Task A_fault_in_what_fits_together_is_found(string right, string wrong, string finding)
    {
        var text = await RenderedAsync();
        Assert.Contains(right, text, StringComparison.Ordinal);

        var findings = ManifestRules.Findings(Manifests.Read(text.Replace(right, wrong, StringComparison.Ordinal)));

        Assert.Contains(findings, found => found.Contains(finding, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("minReadySeconds: 5", "minReadySecond: 5")]
    [InlineData("kind: PodDisruptionBudget", "kind: PodDisruptionBudgets")]
    [InlineData("storage: 50Gi", "storage: 50Gigs")]
    [InlineData("containerPort: 8080", "containerPort: eighty")]
    public async Task A_fault_in_a_field_is_found_by_reading(string right, string wrong)
    {
        var text = await RenderedAsync();
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.ThrowsAny<Exception>(() => Manifests.Read(text.Replace(right, wrong, StringComparison.Ordinal)));
    }

    private static Task<string> RenderedAsync()
    {
        // Says that there is none before the rendering is shared.
        _ = Kubectl.Program;
        return Production.Value;
    }
}
