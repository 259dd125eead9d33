using System.Net;

namespace OpenHands.Api.Auth;

/// <summary>
/// Which Host headers are ours. A page of a stranger whose name resolves to 127.0.0.1 (DNS rebinding) still sends
/// its own name, and is told apart by it.
/// </summary>
internal sealed class HostRule(IEnumerable<string> allowed)
{
    private readonly string[] _allowed = [.. allowed.Select(entry => entry.Trim('[', ']'))];

    // Callers name the same host again and again; one name, as strangers make up as many as they like.
    private volatile string? _lastAllowed;

    /// <summary>Whether <paramref name="entry"/> can ever match: a name or an address, without scheme and port.</summary>
    public static bool IsEntry(string entry) =>
        Uri.CheckHostName(entry.StartsWith("*.", StringComparison.Ordinal) ? entry[2..] : entry.Trim('[', ']')) != UriHostNameType.Unknown;

    /// <summary>Whether <paramref name="host"/> names the loopback interface or is in the list.</summary>
    public bool Allows(HostString host)
    {
        if (host.HasValue && host.Value == _lastAllowed)
            return true;
        var name = host.HasValue ? host.Host.Trim('[', ']') : "";
        if (!IsLoopbackName(name) && !IsLoopbackAddress(name) && !_allowed.Any(entry => Matches(entry, name)))
            return false;
        _lastAllowed = host.Value;
        return true;
    }

    private static bool IsLoopbackName(string name) =>
        name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    // Only the written-out form: "127.1" and "2130706433" parse as addresses, too, but a resolver may take them for names.
    private static bool IsLoopbackAddress(string name) =>
        IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address) && address.ToString() == name;

    private static bool Matches(string entry, string name) =>
        entry.StartsWith("*.", StringComparison.Ordinal)
            ? name.EndsWith(entry[1..], StringComparison.OrdinalIgnoreCase)
            : name.Equals(entry, StringComparison.OrdinalIgnoreCase);
}
