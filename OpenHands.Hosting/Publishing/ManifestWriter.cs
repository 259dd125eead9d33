using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Publishing;

/// <summary>
/// Writes a manifest: the resources in the order they were added, then those that only others refer to, then the values
/// that conditions decided.
/// </summary>
/// <param name="json">Where to write.</param>
/// <param name="folder">The absolute path of the folder that paths are relative to.</param>
/// <param name="configuration">Works out environment and arguments.</param>
internal sealed class ManifestWriter(Utf8JsonWriter json, string folder, ResourceConfiguration configuration)
{
    private readonly ManifestReferences _references = new();
    private readonly BindingPorts _ports = new();

    /// <summary>Writes the whole manifest.</summary>
    /// <exception cref="DistributedApplicationException">A resource has no form in a manifest.</exception>
    public async Task WriteAsync(IResourceCollection resources, CancellationToken cancellationToken)
    {
        json.WriteStartObject();
        json.WriteStartObject("resources");
        foreach (var resource in resources)
        {
            await WriteResourceAsync(resource, cancellationToken).ConfigureAwait(false);
        }

        // By index: writing one may bring up the next.
        for (var i = 0; i < _references.Resources.Count; i++)
        {
            if (!resources.Contains(_references.Resources[i]))
            {
                await WriteResourceAsync(_references.Resources[i], cancellationToken).ConfigureAwait(false);
            }
        }

        foreach (var conditional in _references.Conditionals)
        {
            json.WriteStartObject(conditional.Name);
            json.WriteString("type", "value.v0");
            json.WriteString("connectionString", await conditional.GetValueAsync(cancellationToken).ConfigureAwait(false));
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteResourceAsync(IResource resource, CancellationToken cancellationToken)
    {
        json.WriteStartObject(resource.Name);
        switch (resource)
        {
            case ContainerResource container:
                await new ContainerEntry(json, _references, _ports, configuration).WriteAsync(container, cancellationToken).ConfigureAwait(false);
                break;
            case ProjectResource project:
                await new ProjectEntry(json, folder, _references, _ports, configuration).WriteAsync(project, cancellationToken).ConfigureAwait(false);
                break;
            case ParameterResource parameter:
                WriteParameter(parameter);
                break;
            case IResourceWithConnectionString value:
                json.WriteString("type", "value.v0");
                json.WriteString("connectionString", _references.Expression(value.ConnectionStringExpression));
                break;
            default:
                throw new DistributedApplicationException($"resource '{resource.Name}' has no form in a manifest: it is a {resource.GetType().Name}.");
        }

        json.WriteEndObject();
    }

    private void WriteParameter(ParameterResource parameter)
    {
        json.WriteString("type", "parameter.v0");
        json.WriteString("value", $"{{{parameter.Name}.inputs.value}}");
        json.WriteStartObject("inputs");
        json.WriteStartObject("value");
        json.WriteString("type", "string");
        if (parameter.Secret)
        {
            json.WriteBoolean("secret", true);
        }

        if (parameter.Default is not null)
        {
            WriteDefault(parameter.Name, parameter.Default);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteDefault(string name, ParameterDefault @default)
    {
        if (@default is not GenerateParameterDefault generate)
        {
            throw new DistributedApplicationException($"the default of parameter '{name}' has no form in a manifest: it is a {@default.GetType().Name}.");
        }

        json.WriteStartObject("default");
        json.WriteStartObject("generate");
        json.WriteNumber("minLength", generate.MinLength);
        // Kinds of characters that are allowed go without saying.
        (string Kind, bool Allowed)[] kinds = [("lower", generate.Lower), ("upper", generate.Upper), ("numeric", generate.Numeric), ("special", generate.Special)];
        foreach (var (kind, _) in kinds.Where(kind => !kind.Allowed))
        {
            json.WriteBoolean(kind, false);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
