using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.Audit;

/// <summary>SHA-256 over fields, each with its length in front, so that no two lists of fields look the same.</summary>
internal static class AuditHash
{
    /// <summary>Length of a hash.</summary>
    public const int Bytes = SHA256.HashSizeInBytes;

    // In place of a length.
    private const int Missing = -1;

    /// <summary>What stands before the first link.</summary>
    public static byte[] Zero => new byte[Bytes];

    /// <summary>Of everything that an event says; not of its place in the chain.</summary>
    public static byte[] Of(AuditEvent audited)
    {
        var fields = new ArrayBufferWriter<byte>(512);
        Append(fields, "openhands-audit-event-v1");
        Append(fields, audited.Id);
        Append(fields, audited.OrganizationId);
        Append(fields, audited.UserId);
        Append(fields, audited.Actor);
        Append(fields, audited.Action);
        Append(fields, audited.Target);
        Append(fields, audited.Detail);
        Append(fields, audited.Address);
        Append(fields, audited.ApiKeyId);
        Append(fields, audited.RequestId);
        Append(fields, Microseconds(audited.OccurredAt));
        return SHA256.HashData(fields.WrittenSpan);
    }

    /// <summary>Of everything that a link says before its own hash.</summary>
    public static byte[] Of(AuditSeal seal)
    {
        var fields = new ArrayBufferWriter<byte>(seal.Leaves.Length + 256);
        Append(fields, "openhands-audit-seal-v1");
        Append(fields, seal.Number);
        Append(fields, seal.FirstPosition);
        Append(fields, seal.Leaves);
        Append(fields, seal.Pruned);
        Append(fields, Microseconds(seal.SealedAt));
        Append(fields, seal.Previous);
        return SHA256.HashData(fields.WrittenSpan);
    }

    // What PostgreSQL keeps of an instant.
    private static long Microseconds(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMicrosecond;

    private static void Append(ArrayBufferWriter<byte> fields, string? text)
    {
        Length(fields, text is null ? Missing : Encoding.UTF8.GetByteCount(text));
        if (text is not null)
            Encoding.UTF8.GetBytes(text, fields);
    }

    private static void Append(ArrayBufferWriter<byte> fields, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, number);
        Append(fields, bytes);
    }

    private static void Append(ArrayBufferWriter<byte> fields, ReadOnlySpan<byte> bytes)
    {
        Length(fields, bytes.Length);
        fields.Write(bytes);
    }

    private static void Length(ArrayBufferWriter<byte> fields, int length)
    {
        BinaryPrimitives.WriteInt32BigEndian(fields.GetSpan(sizeof(int)), length);
        fields.Advance(sizeof(int));
    }
}
