using k8s;
using k8s.Models;

namespace OpenHands.Tests.Deployment.Kubernetes;

/// <summary>What was rendered, as typed objects. Reading is strict: an unknown field, kind or quantity throws.</summary>
internal sealed class Manifests
{
    private static readonly Dictionary<string, Type> Foreign = new() { ["postgresql.cnpg.io/v1/Cluster"] = typeof(CloudNativePgCluster) };

    private Manifests(string text, IReadOnlyList<IKubernetesObject<V1ObjectMeta>> objects)
    {
        Text = text;
        Objects = objects;
        Workloads = [.. objects.Select(Workload.Of).OfType<Workload>()];
    }

    /// <summary>The text itself.</summary>
    public string Text { get; }

    /// <summary>Everything in it.</summary>
    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects { get; }

    /// <summary>What runs pods.</summary>
    public IReadOnlyList<Workload> Workloads { get; }

    /// <summary>Reads it.</summary>
    public static Manifests Read(string text) => new(
        text, [.. KubernetesYaml.LoadAllFromString(text, Foreign, strict: true).Cast<IKubernetesObject<V1ObjectMeta>>()]);

    /// <summary>Everything of one kind.</summary>
    public IEnumerable<T> All<T>()
        where T : IKubernetesObject<V1ObjectMeta> => Objects.OfType<T>();

    /// <summary>The one of a kind with a name; with a hash behind it, too.</summary>
    public T One<T>(string name)
        where T : IKubernetesObject<V1ObjectMeta> =>
        All<T>().Single(item => item.Metadata.Name == name || (item.Metadata.Name.StartsWith(name + "-", StringComparison.Ordinal) && item.Metadata.Name.Length == name.Length + 11));

    /// <summary>The pods of a name.</summary>
    public Workload Pods(string name) => Workloads.Single(workload => workload.Name == name);
}

/// <summary>Something that runs pods.</summary>
internal sealed record Workload(string Kind, string Name, V1LabelSelector? Selector, V1PodTemplateSpec Template, int? Replicas, IReadOnlyList<string> Claims)
{
    public V1PodSpec Spec => Template.Spec;

    public IEnumerable<V1Container> Containers => Spec.Containers.Concat(Spec.InitContainers ?? []);

    /// <summary>The container that is called like the workload: a component may have put another before it.</summary>
    public V1Container Container => Spec.Containers.FirstOrDefault(container => container.Name == Name) ?? Spec.Containers[0];

    public IDictionary<string, string> Labels => Template.Metadata?.Labels ?? new Dictionary<string, string>();

    public override string ToString() => $"{Kind} {Name}";

    public static Workload? Of(IKubernetesObject<V1ObjectMeta> item) => item switch
    {
        V1Deployment deployment => new("Deployment", deployment.Metadata.Name, deployment.Spec.Selector, deployment.Spec.Template, deployment.Spec.Replicas, []),
        V1StatefulSet set => new(
            "StatefulSet", set.Metadata.Name, set.Spec.Selector, set.Spec.Template, set.Spec.Replicas,
            [.. (set.Spec.VolumeClaimTemplates ?? []).Select(claim => claim.Metadata.Name)]),
        V1Job job => new("Job", job.Metadata.Name, null, job.Spec.Template, null, []),
        V1CronJob cron => new("CronJob", cron.Metadata.Name, null, cron.Spec.JobTemplate.Spec.Template, null, []),
        _ => null,
    };

    /// <summary>A variable of that container as a process would see it, with the ConfigMaps it is made of; null when it has none.</summary>
    public string? Variable(string name, Manifests manifests)
    {
        var container = Container;
        var maps = (container.EnvFrom ?? []).Where(source => source.ConfigMapRef is not null)
            .SelectMany(source => manifests.One<V1ConfigMap>(source.ConfigMapRef.Name).Data).ToDictionary(pair => pair.Key, pair => pair.Value);
        var value = (container.Env ?? []).FirstOrDefault(variable => variable.Name == name)?.Value ?? maps.GetValueOrDefault(name);
        return value is null ? null : System.Text.RegularExpressions.Regex.Replace(
            value, @"\$\((\w+)\)", match => Variable(match.Groups[1].Value, manifests) ?? "secret");
    }
}

/// <summary>The object of CloudNativePG's operator; what is in it is the operator's to check.</summary>
internal sealed class CloudNativePgCluster : IKubernetesObject<V1ObjectMeta>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public Dictionary<string, object> Spec { get; set; } = [];
}
