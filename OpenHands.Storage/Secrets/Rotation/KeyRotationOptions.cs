using System.ComponentModel.DataAnnotations;

namespace OpenHands.Storage.Secrets.Rotation;

/// <summary>How hard a rotation works.</summary>
public sealed class KeyRotationOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "KeyRotation";

    /// <summary>Rows in one transaction, 1 to 1,000: readers and writers of these rows wait for it.</summary>
    [Range(1, 1000)]
    public int BatchSize { get; set; } = 100;

    /// <summary>Rows per second at most, 1 to 100,000, so that a rotation leaves the database to the users.</summary>
    [Range(1, 100_000)]
    public int RowsPerSecond { get; set; } = 2000;
}
