using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;

namespace OpenHands.Storage.Secrets;

/// <summary>
/// The keys that stored secrets are encrypted under: the current one, which encrypts, and older ones, which only read what the
/// rotation has not yet re-encrypted.
/// </summary>
public sealed class KeyRing
{
    private const string ConnectionName = "secrets";
    private const string FileSetting = "Secrets:KeyFile";
    private const string PreviousSetting = "Secrets:PreviousKeys";
    private const string PreviousFileSetting = "Secrets:PreviousKeysFile";
    private const int ShortestKey = 32;

    private readonly Dictionary<string, KeyRingKey> _keys;

    internal KeyRing(string current, params IEnumerable<string> previous)
    {
        Current = new KeyRingKey(Encoding.UTF8.GetBytes(current));
        _keys = previous.Select(key => new KeyRingKey(Encoding.UTF8.GetBytes(key))).Prepend(Current).DistinctBy(key => key.Id).ToDictionary(key => key.Id);
    }

    internal KeyRingKey Current { get; }

    /// <summary>Ids of all keys of the ring, the current one first. An id tells nothing of its key.</summary>
    public IReadOnlyList<string> KeyIds => [Current.Id, .. _keys.Keys.Where(id => id != Current.Id)];

    /// <summary>Tells later whether a hash comes again, and nothing about what was hashed to who reads it without the ring.</summary>
    internal byte[] Fingerprint(byte[] hash) => Current.Fingerprint(hash);

    /// <summary>Whether the fingerprint, perhaps made before a rotation, is that of the hash.</summary>
    internal bool Recognizes(byte[] fingerprint, byte[] hash) =>
        _keys.Values.Any(key => CryptographicOperations.FixedTimeEquals(key.Fingerprint(hash), fingerprint));

    /// <summary>
    /// Reads the key ring. The current key is the connection string <c>secrets</c> or the text of the file
    /// <c>Secrets:KeyFile</c>; older ones are <c>Secrets:PreviousKeys</c> (a list, or one text with a key per line or between
    /// commas) and the lines of <c>Secrets:PreviousKeysFile</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The current key is missing, a key is too short, or a file cannot be read.</exception>
    public static KeyRing From(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var current = configuration.GetConnectionString(ConnectionName) is { Length: > 0 } given ? given : Text(configuration, FileSetting)?.Trim();
        if (!(current?.Length >= ShortestKey))
        {
            throw new InvalidOperationException(
                $"Stored secrets need a key: set ConnectionStrings__{ConnectionName} (or {FileSetting}) to a random text of at least {ShortestKey} characters, "
                + "the same for every process, and keep it: without it nothing that it encrypted can be read again.");
        }

        string[] previous = [.. Previous(configuration)];
        return previous.All(key => key.Length >= ShortestKey)
            ? new KeyRing(current, previous)
            : throw new InvalidOperationException(
                $"A key of {PreviousSetting} or {PreviousFileSetting} has less than {ShortestKey} characters: it never was a key. One key per line, or a list.");
    }

    /// <summary>The keys themselves, the current one first: for a backup of the ring, and nothing else.</summary>
    internal IEnumerable<string> Texts() => KeyIds.Select(id => _keys[id].Text);

    /// <summary>The key with this id; null when the ring does not hold it.</summary>
    internal KeyRingKey? Find(string id) => _keys.GetValueOrDefault(id);

    private static IEnumerable<string> Previous(IConfiguration configuration)
    {
        var section = configuration.GetSection(PreviousSetting);
        string?[] texts = [section.Value, .. section.GetChildren().Select(child => child.Value), Text(configuration, PreviousFileSetting)];
        return texts.SelectMany(text => (text ?? "").Split(['\n', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    }

    private static string? Text(IConfiguration configuration, string setting)
    {
        if (configuration[setting] is not { Length: > 0 } path)
            return null;
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"The file of {setting} cannot be read: {failure.Message}", failure);
        }
    }
}
