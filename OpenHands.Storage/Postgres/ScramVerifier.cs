using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.Postgres;

/// <summary>
/// What PostgreSQL stores instead of a password (RFC 5802, SCRAM-SHA-256). Made here, so that no password is ever part of a
/// statement, which a server may write to its log.
/// </summary>
internal static class ScramVerifier
{
    private const string Scheme = "SCRAM-SHA-256";
    private const int Iterations = 4096; // PostgreSQL's own default

    /// <summary>A verifier of the password with a fresh salt.</summary>
    public static string Create(string password) => Create(password, RandomNumberGenerator.GetBytes(16), Iterations);

    /// <summary>True when the stored verifier is one of this password; false for any other text, and for null.</summary>
    public static bool Matches(string? stored, string password)
    {
        if (stored?.Split('$') is not [Scheme, var parameters, _] || parameters.Split(':') is not [var iterations, var salt])
            return false;
        if (!int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1)
            return false;

        var saltBytes = new byte[salt.Length];
        return Convert.TryFromBase64String(salt, saltBytes, out var length)
            && CryptographicOperations.FixedTimeEquals(
                Encoding.ASCII.GetBytes(Create(password, saltBytes[..length], count)), Encoding.ASCII.GetBytes(stored));
    }

    internal static string Create(string password, byte[] salt, int iterations)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, 32);
        var storedKey = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var serverKey = HMACSHA256.HashData(salted, "Server Key"u8);
        return $"{Scheme}${iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(storedKey)}:{Convert.ToBase64String(serverKey)}";
    }
}
