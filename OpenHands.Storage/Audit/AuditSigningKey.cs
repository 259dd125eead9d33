using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Audit;

/// <summary>The key that links of the audit chain are signed with, derived from a key of the ring: who has the database alone cannot sign.</summary>
internal static class AuditSigningKey
{
    // Order of P-256 (FIPS 186-5).
    private static readonly BigInteger Order = BigInteger.Parse(
        "0FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>The signing key that belongs to a key of the ring.</summary>
    public static ECDsa Of(KeyRingKey key)
    {
        var seed = key.ForAudit();
        try
        {
            // The seed is 64 bits longer than the order, so that the remainder favours no number.
            var scalar = (new BigInteger(seed, isUnsigned: true, isBigEndian: true) % (Order - 1)) + 1;
            var d = new byte[32];
            var bytes = scalar.ToByteArray(isUnsigned: true, isBigEndian: true);
            bytes.CopyTo(d, d.Length - bytes.Length);
            return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d });
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }
}
