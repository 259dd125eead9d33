using System.Text.RegularExpressions;
using k8s.Models;

namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>What neither a schema nor strict reading sees: that the objects of a rendering fit each other and are safe to run.</summary>
internal static partial class ManifestRules
{
    /// <summary>Secrets that come from outside.</summary>
    private static readonly string[] Outside = ["openhands-postgres", "openhands-redis", "openhands-key-ring", "openhands-connections"];

    /// <summary>Everything that is wrong, in one line each.</summary>
    public static IReadOnlyList<string> Findings(Manifests manifests) =>
    [
        .. Names(manifests), .. manifests.Workloads.SelectMany(workload => Pods(workload).Concat(References(workload, manifests)).Concat(PodSecurity(workload))),
        .. StatefulSets(manifests), .. Services(manifests), .. Autoscalers(manifests), .. Selectors(manifests), .. Ingresses(manifests),
        .. PlainSecrets(manifests), .. Schedules(manifests),
    ];

    private static IEnumerable<string> Names(Manifests manifests)
    {
        foreach (var item in manifests.Objects.Where(item => !Name().IsMatch(item.Metadata.Name) || item.Metadata.Name.Length > 63))
            yield return $"{item.Kind} {item.Metadata.Name}: not a name";
        foreach (var group in manifests.Objects.GroupBy(item => (item.Kind, item.Metadata.Name)).Where(group => group.Count() > 1))
            yield return $"{group.Key.Kind} {group.Key.Name}: twice";
        foreach (var item in manifests.Objects.Where(item => item is not V1Namespace && item.Metadata.NamespaceProperty != "openhands"))
            yield return $"{item.Kind} {item.Metadata.Name}: in no namespace";
    }

    private static IEnumerable<string> Pods(Workload workload)
    {
        if (workload.Selector is { } selector && !Matches(selector, workload.Labels))
            yield return $"{workload}: its selector does not match its pods";
        var ports = workload.Containers.SelectMany(container => container.Ports ?? []).ToList();
        foreach (var container in workload.Containers)
        {
            if (!Pinned().IsMatch(container.Image) || container.Image.EndsWith(":latest", StringComparison.Ordinal))
                yield return $"{workload}: image {container.Image} is not pinned";
            if (container.Resources?.Requests?.ContainsKey("memory") is not true || container.Resources.Limits?.ContainsKey("memory") is not true || !container.Resources.Requests.ContainsKey("cpu"))
                yield return $"{workload}/{container.Name}: no request of cpu and memory, or no limit of memory";
            foreach (var port in Probes(container).Select(probe => probe.HttpGet?.Port ?? probe.TcpSocket?.Port).OfType<IntOrString>())
            {
                if (!ports.Any(declared => declared.Name == port.Value || $"{declared.ContainerPort}" == port.Value))
                    yield return $"{workload}/{container.Name}: a probe asks port {port.Value}, which is not declared";
            }

            if (workload.Kind is "Deployment" or "StatefulSet" && (container.ReadinessProbe is null || container.LivenessProbe is null))
                yield return $"{workload}/{container.Name}: no probe of readiness or liveness";
        }
    }

    private static IEnumerable<string> References(Workload workload, Manifests manifests)
    {
        var volumes = workload.Spec.Volumes ?? [];
        var mountable = volumes.Select(volume => volume.Name).Concat(workload.Claims).ToHashSet();
        var maps = manifests.All<V1ConfigMap>().DistinctBy(map => map.Metadata.Name)
            .ToDictionary(map => map.Metadata.Name, map => map.Data ?? new Dictionary<string, string>());
        foreach (var volume in volumes)
        {
            if (volume.ConfigMap is { Optional: not true } map && !maps.ContainsKey(map.Name))
                yield return $"{workload}: there is no ConfigMap {map.Name}";
            if (volume.Secret is { } secret && !Outside.Contains(secret.SecretName))
                yield return $"{workload}: there is no Secret {secret.SecretName}";
            if (volume.PersistentVolumeClaim is { } claim && manifests.All<V1PersistentVolumeClaim>().All(found => found.Metadata.Name != claim.ClaimName))
                yield return $"{workload}: there is no PersistentVolumeClaim {claim.ClaimName}";
        }

        foreach (var container in workload.Containers)
        {
            foreach (var mount in (container.VolumeMounts ?? []).Where(mount => !mountable.Contains(mount.Name)))
                yield return $"{workload}/{container.Name}: there is no volume {mount.Name}";
            var known = new HashSet<string>();
            foreach (var source in container.EnvFrom ?? [])
            {
                if (source.SecretRef is { } secret && !Outside.Contains(secret.Name))
                    yield return $"{workload}/{container.Name}: there is no Secret {secret.Name}";
                if (source.ConfigMapRef is not { } reference)
                    continue;
                if (maps.TryGetValue(reference.Name, out var data))
                    known.UnionWith(data.Keys);
                else
                    yield return $"{workload}/{container.Name}: there is no ConfigMap {reference.Name}";
            }

            foreach (var variable in container.Env ?? [])
            {
                if (variable.ValueFrom?.SecretKeyRef is { } secret && !Outside.Contains(secret.Name))
                    yield return $"{workload}/{container.Name}: there is no Secret {secret.Name}";
                foreach (var used in Used().Matches(variable.Value ?? "").Select(match => match.Groups[1].Value).Where(used => !known.Contains(used)))
                    yield return $"{workload}/{container.Name}: variable {variable.Name} is made of {used}, which is not there";
                if (!known.Add(variable.Name) && (container.Env ?? []).Count(other => other.Name == variable.Name) > 1)
                    yield return $"{workload}/{container.Name}: variable {variable.Name} is there twice";
            }
        }
    }

    // https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    private static IEnumerable<string> PodSecurity(Workload workload)
    {
        var pod = workload.Spec;
        if (pod.HostNetwork is true || pod.HostPID is true || pod.HostIPC is true || (pod.Volumes ?? []).Any(volume => volume.HostPath is not null))
            yield return $"{workload}: reaches into its node";
        if (pod.AutomountServiceAccountToken is not false)
            yield return $"{workload}: carries a token of the API server";
        foreach (var container in workload.Containers)
        {
            var security = container.SecurityContext;
            if ((security?.RunAsNonRoot ?? pod.SecurityContext?.RunAsNonRoot) is not true || (security?.RunAsUser ?? pod.SecurityContext?.RunAsUser) is null or 0)
                yield return $"{workload}/{container.Name}: may be root";
            if ((security?.SeccompProfile ?? pod.SecurityContext?.SeccompProfile)?.Type is not ("RuntimeDefault" or "Localhost"))
                yield return $"{workload}/{container.Name}: no seccomp profile";
            if (security?.AllowPrivilegeEscalation is not false || security.Privileged is true || security.Capabilities?.Drop?.Contains("ALL") is not true || security.Capabilities.Add is { Count: > 0 })
                yield return $"{workload}/{container.Name}: privileges are not dropped";
            if (security?.ReadOnlyRootFilesystem is not true)
                yield return $"{workload}/{container.Name}: may write to its own file system";
        }
    }

    private static IEnumerable<string> StatefulSets(Manifests manifests) =>
        from set in manifests.All<V1StatefulSet>()
        let service = manifests.All<V1Service>().FirstOrDefault(service => service.Metadata.Name == set.Spec.ServiceName)
        where service is null || (set.Spec.Replicas > 1 && service.Spec.ClusterIP != "None")
        select $"StatefulSet {set.Metadata.Name}: {set.Spec.ServiceName} is not a headless Service";

    private static IEnumerable<string> Services(Manifests manifests)
    {
        foreach (var service in manifests.All<V1Service>())
        {
            var pods = manifests.Workloads.Where(workload => service.Spec.Selector?.All(workload.Labels.Contains) is true).ToList();
            if (pods.Count == 0)
                yield return $"Service {service.Metadata.Name}: selects no pods";
            var ports = pods.SelectMany(workload => workload.Containers).SelectMany(container => container.Ports ?? []).ToList();
            foreach (var port in service.Spec.Ports ?? [])
            {
                var target = port.TargetPort?.Value ?? $"{port.Port}";
                if (port.Port is < 1 or > 65535 || !ports.Any(declared => declared.Name == target || $"{declared.ContainerPort}" == target))
                    yield return $"Service {service.Metadata.Name}: port {port.Port} leads to {target}, which no pod has";
            }
        }
    }

    private static IEnumerable<string> Autoscalers(Manifests manifests)
    {
        foreach (var scaler in manifests.All<V2HorizontalPodAutoscaler>())
        {
            var name = $"HorizontalPodAutoscaler {scaler.Metadata.Name}";
            var target = manifests.Workloads.FirstOrDefault(workload => workload.Kind == scaler.Spec.ScaleTargetRef.Kind && workload.Name == scaler.Spec.ScaleTargetRef.Name);
            if (target is null)
                yield return $"{name}: there is no {scaler.Spec.ScaleTargetRef.Kind} {scaler.Spec.ScaleTargetRef.Name}";
            if (target?.Replicas is not null)
                yield return $"{name}: its target says itself how many there are";
            if (scaler.Spec.MinReplicas > scaler.Spec.MaxReplicas)
                yield return $"{name}: at least {scaler.Spec.MinReplicas} and at most {scaler.Spec.MaxReplicas}";
        }
    }

    private static IEnumerable<string> Selectors(Manifests manifests)
    {
        var operated = manifests.All<CloudNativePgCluster>().Select(cluster => new Dictionary<string, string> { ["cnpg.io/cluster"] = cluster.Metadata.Name });
        var labels = manifests.Workloads.Select(workload => workload.Labels).Concat(operated).ToList();
        foreach (var (name, selector) in manifests.All<V1PodDisruptionBudget>().Select(budget => ($"PodDisruptionBudget {budget.Metadata.Name}", budget.Spec.Selector))
            .Concat(manifests.All<V1NetworkPolicy>().SelectMany(policy => Peers(policy).Select(selector => ($"NetworkPolicy {policy.Metadata.Name}", selector)))))
        {
            if (!labels.Any(pods => Matches(selector, pods)))
                yield return $"{name}: selects no pods";
        }
    }

    private static IEnumerable<V1LabelSelector> Peers(V1NetworkPolicy policy) =>
        (policy.Spec.Ingress ?? []).SelectMany(rule => rule.FromProperty ?? []).Concat((policy.Spec.Egress ?? []).SelectMany(rule => rule.To ?? []))
            .Where(peer => peer.NamespaceSelector is null).Select(peer => peer.PodSelector).OfType<V1LabelSelector>().Prepend(policy.Spec.PodSelector);

    private static IEnumerable<string> Ingresses(Manifests manifests)
    {
        foreach (var ingress in manifests.All<V1Ingress>())
        {
            var name = $"Ingress {ingress.Metadata.Name}";
            var secured = (ingress.Spec.Tls ?? []).SelectMany(tls => tls.Hosts).ToHashSet();
            foreach (var rule in ingress.Spec.Rules)
            {
                if (!secured.Contains(rule.Host))
                    yield return $"{name}: {rule.Host} has no TLS";
                foreach (var backend in rule.Http.Paths.Select(path => path.Backend.Service))
                {
                    var service = manifests.All<V1Service>().FirstOrDefault(service => service.Metadata.Name == backend.Name);
                    if (service?.Spec.Ports.Any(port => port.Name == backend.Port.Name || port.Port == backend.Port.Number) is not true)
                        yield return $"{name}: there is no Service {backend.Name} with port {backend.Port.Name ?? $"{backend.Port.Number}"}";
                }
            }
        }
    }

    private static IEnumerable<string> PlainSecrets(Manifests manifests)
    {
        var plain = manifests.All<V1ConfigMap>().SelectMany(map => (map.Data ?? new Dictionary<string, string>()).Where(entry => !entry.Key.EndsWith(".sh", StringComparison.Ordinal))
                .Select(entry => (Where: $"ConfigMap {map.Metadata.Name}", entry.Key, entry.Value)))
            .Concat(manifests.Workloads.SelectMany(workload => workload.Containers.SelectMany(container => container.Env ?? [])
                .Where(variable => variable.Value is not null).Select(variable => (Where: $"{workload}", Key: variable.Name, variable.Value))));
        foreach (var (where, key, value) in plain)
        {
            if ((Secretive().IsMatch(key) && value.Length > 0 && !Used().IsMatch(value)) || Password().IsMatch(value))
                yield return $"{where}: {key} holds a secret in the clear";
        }

        foreach (var secret in manifests.All<V1Secret>())
            yield return $"Secret {secret.Metadata.Name}: comes from outside and is no part of what is applied";
    }

    private static IEnumerable<string> Schedules(Manifests manifests) =>
        from cron in manifests.All<V1CronJob>()
        where !Cron().IsMatch(cron.Spec.Schedule)
        select $"CronJob {cron.Metadata.Name}: '{cron.Spec.Schedule}' is no schedule";

    private static IEnumerable<V1Probe> Probes(V1Container container) =>
        new[] { container.ReadinessProbe, container.LivenessProbe, container.StartupProbe }.OfType<V1Probe>();

    private static bool Matches(V1LabelSelector? selector, IDictionary<string, string> labels) =>
        (selector?.MatchLabels ?? new Dictionary<string, string>()).All(labels.Contains)
        && (selector?.MatchExpressions ?? []).All(expression => expression.OperatorProperty == "In" && labels.TryGetValue(expression.Key, out var value) && expression.Values.Contains(value));

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
    private static partial Regex Name();

    [GeneratedRegex("^[^:]+(:[0-9]+/[^:]+)?:[A-Za-z0-9_][A-Za-z0-9_.-]*(@sha256:[0-9a-f]{64})?$")]
    private static partial Regex Pinned();

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Used();

    [GeneratedRegex("PASSWORD|SECRET|TOKEN|_KEY$|ConnectionStrings__secrets", RegexOptions.IgnoreCase)]
    private static partial Regex Secretive();

    [GeneratedRegex(@"password=(?!\$\()", RegexOptions.IgnoreCase)]
    private static partial Regex Password();

    [GeneratedRegex(@"^([0-5]?\d|\*)(/\d+)? ([01]?\d|2[0-3]|\*)(/\d+)? ([12]?\d|3[01]|\*) ([1-9]|1[0-2]|\*) ([0-7]|\*)$")]
    private static partial Regex Cron();
}
