using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.Invitations;

/// <summary>What an invitation is accepted with: 256 random bits, of which only the hash is kept.</summary>
public static class InvitationToken
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int Letters = 43; // 62^43 exceeds 2^256

    /// <summary>A new token.</summary>
    public static string New() => RandomNumberGenerator.GetString(Alphabet, Letters);

    /// <summary>Whether the text may be one.</summary>
    public static bool IsOne(string? text) => text?.Length == Letters && text.All(char.IsAsciiLetterOrDigit);

    /// <summary>SHA-256 of the token. No salt: 256 random bits cannot be guessed, and the hash must be found by an index.</summary>
    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));
}
