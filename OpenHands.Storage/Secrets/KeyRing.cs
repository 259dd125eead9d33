using System.Text;
using Microsoft.Extensions.Configuration;

namespace OpenHands.Storage.Secrets;

/// <summary>The keys that stored secrets are encrypted under. New ones always use the current key.</summary>
public sealed class KeyRing
{
    private const string ConnectionName = "secrets";
    private const int ShortestKey = 32;

    private readonly Dictionary<string, KeyRingKey> _keys;

    internal KeyRing(string current)
    {
        Current = new KeyRingKey(Encoding.UTF8.GetBytes(current));
        _keys = new Dictionary<string, KeyRingKey> { [Current.Id] = Current };
    }

    internal KeyRingKey Current { get; }

    /// <summary>Reads the key ring from the connection string <c>secrets</c>.</summary>
    /// <exception cref="InvalidOperationException">It is missing or too short to be a key.</exception>
    public static KeyRing From(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var key = configuration.GetConnectionString(ConnectionName);
        return key?.Length >= ShortestKey
            ? new KeyRing(key)
            : throw new InvalidOperationException(
                $"Stored secrets need a key: set ConnectionStrings__{ConnectionName} to a random text of at least {ShortestKey} characters, "
                + "the same for every process, and keep it: without it nothing that it encrypted can be read again.");
    }

    /// <summary>The key with this id; null when the ring does not hold it.</summary>
    internal KeyRingKey? Find(string id) => _keys.GetValueOrDefault(id);
}
