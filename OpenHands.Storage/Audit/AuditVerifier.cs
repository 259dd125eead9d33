using System.Security.Cryptography;
using OpenHands.Storage.Secrets;

namespace OpenHands.Storage.Audit;

/// <summary>
/// Finds every event that was edited, deleted, inserted or moved since it was sealed. Needs nothing but the log and the signing
/// keys; the newest link must be signed by one of them and, by its hash, speaks for all before it.
/// </summary>
public sealed class AuditVerifier : IDisposable
{
    private const int MostShown = 100;

    private readonly Dictionary<string, ECDsa> _keys;
    private readonly List<AuditFinding> _findings = [];
    private readonly PositionRanges _pruned = new();
    private long _faults, _events, _links, _prunedCount;

    private AuditVerifier(Dictionary<string, ECDsa> keys) => _keys = keys;

    /// <summary>With the key ring that the links were signed under.</summary>
    public static AuditVerifier With(KeyRing keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return new AuditVerifier(keys.KeyIds.ToDictionary(id => id, id => AuditSigningKey.Of(keys.Find(id)!))); // the ring's own ids
    }

    /// <summary>With the public key of <see cref="PublicKey"/> alone: for somebody who must not be able to sign.</summary>
    /// <exception cref="ArgumentException">It is no PEM of a public key.</exception>
    public static AuditVerifier WithPublicKey(string pem)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return new AuditVerifier(new() { [""] = key });
    }

    /// <summary>The key that verifies what is signed under the current key of the ring, as PEM. Anybody may have it.</summary>
    public static string PublicKey(KeyRing keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        using var key = AuditSigningKey.Of(keys.Current);
        return key.ExportSubjectPublicKeyInfoPem();
    }

    /// <summary>Reads and compares everything. An instance verifies once.</summary>
    /// <param name="source">The log.</param>
    /// <param name="head">A head that was noted before, <c>number:hash</c>: the chain must contain it. Null for none.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<AuditReport> VerifyAsync(IAuditSource source, string? head, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var last = await ReadChainAsync(source, head, cancellationToken);
        await CompareAsync(source, cancellationToken);

        var (unsealed, count) = (new List<string>(), 0L);
        await foreach (var audited in source.UnsealedAsync(cancellationToken))
        {
            count++;
            if (unsealed.Count < MostShown)
                unsealed.Add(audited.Id);
        }

        return new AuditReport(_events, _links, _prunedCount, _findings, _faults, unsealed, count, last is null ? null : HeadOf(last));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var key in _keys.Values)
            key.Dispose();
    }

    /// <summary>A link as it is noted elsewhere.</summary>
    internal static string HeadOf(AuditSeal seal) => $"{seal.Number}:{Convert.ToHexStringLower(seal.Hash)}";

    // First pass: the links among themselves, and what retention deleted.
    private async Task<AuditSeal?> ReadChainAsync(IAuditSource source, string? head, CancellationToken cancellationToken)
    {
        AuditSeal? last = null;
        var seen = head is null;
        await foreach (var seal in source.SealsAsync(cancellationToken))
        {
            _links++;
            if (seal.Number != (last?.Number ?? 0) + 1)
                Find(AuditFault.ChainBroken, seal.Number, null, $"Before link {seal.Number} there is {(last is null ? "none" : $"link {last.Number}")}: links are missing.");
            else if (!seal.Previous.AsSpan().SequenceEqual(last?.Hash ?? AuditHash.Zero) || seal.FirstPosition != (last is null ? 1 : last.FirstPosition + last.Count))
                Find(AuditFault.ChainBroken, seal.Number, null, $"Link {seal.Number} does not follow on link {seal.Number - 1}.");
            if (!AuditHash.Of(seal).AsSpan().SequenceEqual(seal.Hash))
                Find(AuditFault.ChainBroken, seal.Number, null, $"Link {seal.Number} was changed.");
            if (seal.Pruned is { } pruned)
                AddPruned(seal, pruned);
            seen |= HeadOf(seal) == head;
            last = seal;
        }

        _pruned.Sort();
        if (!seen)
            Find(AuditFault.ChainBroken, last?.Number ?? 0, null, $"The chain does not contain the head {head} that was noted: its end was cut off, or it was made anew.");
        if (last is not null && !IsSigned(last))
        {
            Find(AuditFault.NotSigned, last.Number, null,
                $"Link {last.Number}, the newest, is not signed by a key of ours. It names the key {last.SigningKeyId}: give the ring that has it.");
        }

        return last;
    }

    private void AddPruned(AuditSeal seal, string pruned)
    {
        try
        {
            _pruned.Add(pruned);
        }
        catch (FormatException)
        {
            Find(AuditFault.ChainBroken, seal.Number, null, $"Link {seal.Number} names positions that cannot be read.");
        }
    }

    private bool IsSigned(AuditSeal seal) =>
        (_keys.GetValueOrDefault(seal.SigningKeyId) ?? _keys.GetValueOrDefault("")) is { } key && key.VerifyHash(seal.Hash, seal.Signature);

    // Second pass: both run by position, side by side.
    private async Task CompareAsync(IAuditSource source, CancellationToken cancellationToken)
    {
        await using var events = source.SealedAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        var more = await events.MoveNextAsync();
        await foreach (var seal in source.SealsAsync(cancellationToken))
        {
            for (var index = 0; index < seal.Count; index++)
            {
                var position = seal.FirstPosition + index;
                for (; more && events.Current.Position < position; more = await events.MoveNextAsync())
                    Find(AuditFault.Inserted, events.Current.Position ?? 0, events.Current.Id, $"Event {events.Current.Id} stands at {events.Current.Position}, where none was sealed.");
                if (!more || events.Current.Position > position)
                {
                    Missing(position);
                    continue;
                }

                Compare(seal, index, events.Current);
                more = await events.MoveNextAsync();
            }
        }

        for (; more; more = await events.MoveNextAsync())
            Find(AuditFault.Inserted, events.Current.Position ?? 0, events.Current.Id, $"Event {events.Current.Id} stands at {events.Current.Position}, where none was sealed.");
    }

    private void Missing(long position)
    {
        if (_pruned.Contains(position))
            _prunedCount++;
        else
            Find(AuditFault.Deleted, position, null, $"The event at {position} is gone.");
    }

    private void Compare(AuditSeal seal, int index, AuditEvent audited)
    {
        _events++;
        var hash = AuditHash.Of(audited);
        if (hash.AsSpan().SequenceEqual(Leaf(seal, index)))
            return;

        var elsewhere = Enumerable.Range(0, seal.Count).Where(other => hash.AsSpan().SequenceEqual(Leaf(seal, other))).Select(other => (long?)seal.FirstPosition + other).FirstOrDefault();
        if (elsewhere is { } place)
            Find(AuditFault.Reordered, audited.Position ?? 0, audited.Id, $"Event {audited.Id} stands at {audited.Position} and was sealed at {place}.");
        else
            Find(AuditFault.Edited, audited.Position ?? 0, audited.Id, $"Event {audited.Id} at {audited.Position} is not what was sealed there.");
    }

    private static ReadOnlySpan<byte> Leaf(AuditSeal seal, int index) => seal.Leaves.AsSpan(index * AuditHash.Bytes, AuditHash.Bytes);

    private void Find(AuditFault kind, long position, string? id, string message)
    {
        _faults++;
        if (_findings.Count < MostShown)
            _findings.Add(new AuditFinding(kind, position, id, message));
    }
}
