using k8s.Models;
using Npgsql;
using OpenHands.Storage.Queues;
using OpenHands.Worker.Queues;
using StackExchange.Redis;

namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>The overlays as they would reach a cluster, without one.</summary>
public sealed class OverlayTests
{
    public static TheoryData<string, string[]> Everything => new()
    {
        { "overlays/development", [] },
        { "overlays/production", [] },
        { "overlays/production", ["pgbouncer"] },
        { "overlays/production", ["cloudnative-pg"] },
        { "overlays/production", ["managed-databases"] },
    };

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Everything_is_read_strictly_fits_together_and_is_safe_to_run(string overlay, string[] components) =>
        Assert.Empty(ManifestRules.Findings(await ReadAsync(overlay, components)));

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Nothing_of_what_aspirate_generated_is_left_that_must_not_be(string overlay, string[] components)
    {
        var manifests = await ReadAsync(overlay, components);

        Assert.Empty(manifests.All<V1Secret>());
        Assert.DoesNotContain(manifests.Workloads, workload => workload is { Kind: "Deployment", Name: "migrations" });
        Assert.Equal(["migrate"], manifests.Pods("migrations").Spec.Containers[0].Args);
        Assert.Equal("restricted", Assert.Single(manifests.All<V1Namespace>()).Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        Assert.All(["api", "worker"], name => Assert.Equal("keys", manifests.Pods(name).Variable("Identity__Mode", manifests)));
        Assert.DoesNotContain("replaced-by-overlay", manifests.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Production_is_the_architectures_picture()
    {
        var manifests = await ReadAsync("overlays/production");

        var (postgres, redis) = (manifests.One<V1StatefulSet>("postgres"), manifests.One<V1StatefulSet>("redis"));
        Assert.Equal((3, 3), (postgres.Spec.Replicas, redis.Spec.Replicas));
        Assert.Equal("50Gi", postgres.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests["storage"].CanonicalizeString());
        Assert.Equal("10Gi", redis.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests["storage"].CanonicalizeString());
        Assert.Equal(3, manifests.One<V2HorizontalPodAutoscaler>("api").Spec.MinReplicas);
        Assert.Equal("LoadBalancer", manifests.One<V1Service>("api").Spec.Type);
        var ingress = Assert.Single(manifests.All<V1Ingress>());
        Assert.Equal("nginx", ingress.Spec.IngressClassName);
        Assert.Equal(["cert-manager.io/cluster-issuer"], ingress.Metadata.Annotations.Keys);
        Assert.Contains(
            manifests.One<V2HorizontalPodAutoscaler>("worker").Spec.Metrics, metric => metric.External?.Metric.Name == "openhands_queue_oldest_age_seconds");
        Assert.Equal(["postgres-backup", "redis-backup"], manifests.All<V1CronJob>().Select(cron => cron.Metadata.Name).Order());
    }

    [Fact]
    public async Task The_number_of_servers_and_every_list_of_them_agree()
    {
        var manifests = await ReadAsync("overlays/production");
        var database = new NpgsqlConnectionStringBuilder(manifests.Pods("api").Variable("ConnectionStrings__openhands", manifests));
        var redis = ConfigurationOptions.Parse(manifests.Pods("api").Variable("ConnectionStrings__redis", manifests)!);

        Assert.Equal(Members(manifests, "postgres", 5432), manifests.Pods("postgres").Variable("POSTGRES_MEMBERS", manifests)!.Split(','));
        Assert.Equal(Members(manifests, "postgres", 5432), database.Host!.Split(','));
        Assert.Equal("primary", database.TargetSessionAttributes);
        Assert.Equal(Members(manifests, "postgres", 5432).Select(member => member.Split(':')[0]), manifests.Pods("postgres-backup").Variable("PGHOST", manifests)!.Split(','));
        Assert.Equal(Members(manifests, "redis", 6379), manifests.Pods("redis").Variable("REDIS_MEMBERS", manifests)!.Split(','));
        Assert.Equal(Members(manifests, "redis", 26379), manifests.Pods("redis").Variable("REDIS_SENTINELS", manifests)!.Split(','));
        Assert.Equal(Members(manifests, "redis", 26379), redis.EndPoints.Cast<System.Net.DnsEndPoint>().Select(server => $"{server.Host}:{server.Port}"));
        Assert.Equal(manifests.Pods("redis").Variable("REDIS_SERVICE", manifests), redis.ServiceName);
    }

    [Theory]
    [InlineData("production")]
    [InlineData("production", "pgbouncer")]
    [InlineData("development")]
    public async Task All_pools_together_fit_the_server_with_the_autoscalers_at_their_maximum(string overlay, params string[] components)
    {
        var manifests = await ReadAsync($"overlays/{overlay}", components);
        var limit = int.Parse(manifests.Pods("postgres").Variable("POSTGRES_MAX_CONNECTIONS", manifests) ?? "100");
        var pooled = components.Contains("pgbouncer");

        // Of the pooler itself only its own connections reach the server.
        var connections = pooled ? int.Parse(manifests.Pods("postgres").Spec.Containers.Single(container => container.Name == "pgbouncer").Env.Single(variable => variable.Name == "PGBOUNCER_POOL").Value) : 0;
        foreach (var name in new[] { "api", "worker" })
        {
            // One more while a new version rolls out.
            var pods = (manifests.All<V2HorizontalPodAutoscaler>().FirstOrDefault(scaler => scaler.Metadata.Name == name)?.Spec.MaxReplicas ?? manifests.Pods(name).Replicas ?? 1) + 1;
            var direct = manifests.Pods(name).Container.Env.Select(variable => variable.Name)
                .Where(variable => variable.StartsWith("ConnectionStrings__openhands", StringComparison.Ordinal) && !(pooled && variable == "ConnectionStrings__openhands"));
            connections += pods * direct.Sum(variable => variable == "ConnectionStrings__openhands-direct"
                ? WorkerRegistry.SessionsBesidePools
                : new NpgsqlConnectionStringBuilder(manifests.Pods(name).Variable(variable, manifests)).MaxPoolSize);
        }

        // Migrations, a backup, members that ask each other, a person, and what the server keeps for superusers.
        Assert.True(connections + 3 + 1 + 3 + 3 + 3 <= limit, $"{connections} connections of pools, and the server takes {limit} in all");
    }

    [Fact]
    public async Task Pods_stop_gracefully()
    {
        var manifests = await ReadAsync("overlays/production");
        var (api, worker) = (manifests.Pods("api").Spec, manifests.Pods("worker").Spec);
        var shutdown = TimeSpan.Parse(manifests.Pods("worker").Variable("Worker__ShutdownTimeout", manifests)!);

        // The host's own 30 s for requests that run.
        Assert.True(api.TerminationGracePeriodSeconds >= api.Containers[0].Lifecycle.PreStop.Sleep.Seconds + 30);
        Assert.True(worker.TerminationGracePeriodSeconds >= (shutdown + QueueDrainer.HandBackTime).TotalSeconds + 5);
        foreach (var deployment in manifests.All<V1Deployment>())
            Assert.Equal(("RollingUpdate", "0", "1"), (deployment.Spec.Strategy.Type, deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value, deployment.Spec.Strategy.RollingUpdate.MaxSurge.Value));
    }

    [Fact]
    public async Task Only_who_has_business_with_a_server_reaches_it()
    {
        var manifests = await ReadAsync("overlays/production");
        string[] Labelled(string label) => [.. manifests.Workloads.Where(workload => workload.Labels.ContainsKey(label)).Select(workload => workload.Name).Order(StringComparer.Ordinal)];

        Assert.Contains(manifests.All<V1NetworkPolicy>(), policy => policy.Metadata.Name == "default-deny" && policy.Spec.PolicyTypes.Count == 2 && policy.Spec.PodSelector.MatchLabels is null);
        Assert.Equal(["api", "migrations", "postgres-backup", "worker"], Labelled("openhands/uses-postgres"));
        Assert.Equal(["api", "redis-backup", "worker"], Labelled("openhands/uses-redis"));
    }

    private static string[] Members(Manifests manifests, string name, int port) =>
        [.. Enumerable.Range(0, manifests.One<V1StatefulSet>(name).Spec.Replicas!.Value).Select(ordinal => $"{name}-{ordinal}.{manifests.One<V1StatefulSet>(name).Spec.ServiceName}:{port}")];

    private static async Task<Manifests> ReadAsync(string overlay, params string[] components) =>
        Manifests.Read(await Kubectl.RenderAsync(overlay, components));
}
