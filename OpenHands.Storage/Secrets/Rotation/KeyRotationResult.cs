namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>What a rotation has done.</summary>
/// <param name="CurrentKeyId">The key that everything is encrypted under now, but for what follows.</param>
/// <param name="Rotated">Rows re-encrypted in this run.</param>
/// <param name="Refused">Rows that cannot be read with this ring or were tampered with, as <c>table:id</c>; left as they are.</param>
/// <param name="Removable">Keys that nothing uses any more: they may leave the configuration.</param>
public sealed record KeyRotationResult(string CurrentKeyId, long Rotated, IReadOnlyList<string> Refused, IReadOnlyList<string> Removable);
