using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using OpenHands.Hosting.Orchestration;

namespace OpenHands.Hosting.Publishing;

/// <summary>What containers and projects have in common in a manifest; a member that would be empty is left out.</summary>
internal sealed class ProcessMembers(Utf8JsonWriter json, ManifestReferences references, BindingPorts ports, ResourceConfiguration configuration)
{
    /// <summary>Writes the command line.</summary>
    public async Task WriteArgumentsAsync(IResource resource, CancellationToken cancellationToken)
    {
        var arguments = await ResourceConfiguration.ArgumentsAsync(resource, cancellationToken).ConfigureAwait(false);
        if (arguments.Count == 0)
        {
            return;
        }

        json.WriteStartArray("args");
        foreach (var argument in arguments)
        {
            json.WriteStringValue(references.Expression(argument));
        }

        json.WriteEndArray();
    }

    /// <summary>Writes the environment variables.</summary>
    public async Task WriteEnvironmentAsync(IResource resource, CancellationToken cancellationToken)
    {
        var variables = await configuration.EnvironmentAsync(resource, cancellationToken).ConfigureAwait(false);
        if (variables.Count == 0)
        {
            return;
        }

        json.WriteStartObject("env");
        foreach (var (name, value) in variables)
        {
            json.WriteString(name, references.Expression(value));
        }

        json.WriteEndObject();
    }

    /// <summary>Writes the endpoints.</summary>
    public void WriteBindings(IResource resource)
    {
        var bindings = ports.Of(resource).ToList();
        if (bindings.Count == 0)
        {
            return;
        }

        json.WriteStartObject("bindings");
        foreach (var (endpoint, port, targetPort) in bindings)
        {
            json.WriteStartObject(endpoint.Name);
            json.WriteString("scheme", endpoint.UriScheme);
            json.WriteString("protocol", endpoint.Protocol.ToString().ToLowerInvariant());
            json.WriteString("transport", endpoint.Transport);
            WriteNumber("port", port);
            WriteNumber("targetPort", targetPort);
            if (endpoint.IsExternal)
            {
                json.WriteBoolean("external", true);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteNumber(string name, int? number)
    {
        if (number is { } value)
        {
            json.WriteNumber(name, value);
        }
    }
}
