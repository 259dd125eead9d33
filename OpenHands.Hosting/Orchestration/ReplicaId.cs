using System.Security.Cryptography;

namespace OpenHands.Hosting.Orchestration;

/// <summary>Names replicas as Aspire does: the resource's name and eight random characters.</summary>
internal static class ReplicaId
{
    private const int SuffixLength = 8;

    public static string NewSuffix() => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz", SuffixLength);
}
