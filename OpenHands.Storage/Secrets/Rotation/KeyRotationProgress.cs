namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>How far a rotation is.</summary>
/// <param name="Table">The table at work.</param>
/// <param name="Rotated">Rows re-encrypted so far in this run, in all tables.</param>
/// <param name="Total">Rows that were under another key when this run began, in all tables.</param>
public sealed record KeyRotationProgress(string Table, long Rotated, long Total);
