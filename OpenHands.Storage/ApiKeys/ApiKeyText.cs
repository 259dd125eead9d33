using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.ApiKeys;

/// <summary>
/// How a key looks: <c>sk-oh-</c>, 43 letters and digits from a cryptographic source (256 bits), and 6 more that are a checksum
/// (CRC-32), so that a mistyped or invented key is refused without asking anybody, and a scanner of source code can tell ours.
/// </summary>
public static class ApiKeyText
{
    /// <summary>Every key begins with it.</summary>
    public const string Prefix = "sk-oh-";

    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly SearchValues<char> Letters = SearchValues.Create(Alphabet);

    private const int RandomLetters = 43;
    private const int ChecksumLetters = 6; // 62^6 exceeds 2^32
    private const int ShownLetters = 6;

    /// <summary>Length of every key.</summary>
    public static int Length => Prefix.Length + RandomLetters + ChecksumLetters;

    /// <summary>A new key. Shown once to whom it belongs, kept nowhere.</summary>
    public static string New()
    {
        var random = RandomNumberGenerator.GetString(Alphabet, RandomLetters);
        return Prefix + random + Checksum(random);
    }

    /// <summary>Whether the text may be a key of ours.</summary>
    public static bool IsOne(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length == Length
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && text.AsSpan(Prefix.Length).IndexOfAnyExcept(Letters) < 0
            && text.EndsWith(Checksum(text.Substring(Prefix.Length, RandomLetters)), StringComparison.Ordinal);
    }

    /// <summary>SHA-256 of the key. No salt: 256 random bits cannot be guessed, and the hash must be found by an index.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.ASCII.GetBytes(key));

    /// <summary>What may be shown of the key afterwards.</summary>
    public static string ShownPart(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key[..(Prefix.Length + ShownLetters)];
    }

    private static string Checksum(string random)
    {
        var rest = Crc32.HashToUInt32(Encoding.ASCII.GetBytes(random));
        Span<char> letters = stackalloc char[ChecksumLetters];
        for (var at = ChecksumLetters - 1; at >= 0; at--)
        {
            letters[at] = Alphabet[(int)(rest % (uint)Alphabet.Length)];
            rest /= (uint)Alphabet.Length;
        }

        return new string(letters);
    }
}
