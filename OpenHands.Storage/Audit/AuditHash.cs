using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.Audit;

/// <summary>SHA-256 over fields, each with its length in front, so that no two lists of fields look the same.</summary>
internal static class AuditHash
{
    /// <summary>Length of a hash.</summary>
    public const int Bytes = SHA256.HashSizeInBytes;

    /// <summary>What stands before the first link.</summary>
    public static byte[] Zero => new byte[Bytes];

    /// <summary>Of everything that an event says; not of its place in the chain.</summary>
    public static byte[] Of(AuditEvent audited)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var field in (string?[])
            [
                "openhands-audit-event-v1", audited.Id, audited.OrganizationId, audited.UserId, audited.Actor, audited.Action, audited.Target, audited.Detail,
                audited.Address, audited.ApiKeyId, audited.RequestId,
            ])
        {
            Append(hash, field is null ? null : Encoding.UTF8.GetBytes(field));
        }

        Append(hash, Number(Microseconds(audited.OccurredAt)));
        return hash.GetHashAndReset();
    }

    /// <summary>Of everything that a link says before its own hash.</summary>
    public static byte[] Of(AuditSeal seal)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "openhands-audit-seal-v1"u8.ToArray());
        Append(hash, Number(seal.Number));
        Append(hash, Number(seal.FirstPosition));
        Append(hash, seal.Leaves);
        Append(hash, seal.Pruned is null ? null : Encoding.UTF8.GetBytes(seal.Pruned));
        Append(hash, Number(Microseconds(seal.SealedAt)));
        Append(hash, seal.Previous);
        return hash.GetHashAndReset();
    }

    // What PostgreSQL keeps of an instant.
    private static long Microseconds(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMicrosecond;

    private static byte[] Number(long number)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        return bytes;
    }

    private static void Append(IncrementalHash hash, byte[]? field)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, field?.Length ?? -1);
        hash.AppendData(length);
        hash.AppendData(field ?? []);
    }
}
