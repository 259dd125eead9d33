using OpenHands.Hosting.Dashboard.Protocol;

namespace OpenHands.Dashboard.Operators;

/// <summary>Where a worker answers operators, and what opens it: both as the host tells of the resource.</summary>
/// <param name="Address">The worker's own port on this machine.</param>
/// <param name="Key">Its <c>Operators:Key</c>.</param>
internal sealed record OperatorDoor(Uri Address, string Key)
{
    private const string Variable = "Operators__Key";

    /// <summary>The key is no part of what a door is called.</summary>
    public override string ToString() => Address.ToString();

    /// <summary>That of the first resource that runs and has a key; null when there is none. A key never leaves this machine.</summary>
    public static OperatorDoor? Of(IEnumerable<Resource> resources) => resources
        .Where(resource => resource.State == "Running")
        .Select(resource => (
            Key: resource.Environment.FirstOrDefault(variable => variable.Name == Variable)?.Value,
            Address: resource.Urls.Select(url => Uri.TryCreate(url.FullUrl, UriKind.Absolute, out var address) ? address : null)
                .FirstOrDefault(address => address is { Scheme: "http" or "https", IsLoopback: true })))
        .Where(door => door is { Key.Length: > 0, Address: not null })
        .Select(door => new OperatorDoor(door.Address!, door.Key!)) // both just checked
        .FirstOrDefault();
}
