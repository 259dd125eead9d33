using System.Text.Json;

namespace OpenHands.Cli.Backups;

/// <summary>What a backup set is, so that a restore knows what it holds and whether it is whole.</summary>
/// <param name="Format">Always <see cref="CurrentFormat"/>.</param>
/// <param name="CreatedAt">When, UTC.</param>
/// <param name="PostgresVersion">Version of the server that it was taken from.</param>
/// <param name="Migration">The newest migration of its schema.</param>
/// <param name="KeyIds">Ids of the keys of its key ring, the current one first.</param>
/// <param name="KeysInUse">Ids of the keys that something in it may be encrypted under.</param>
/// <param name="AuditHead">Head of the audit chain, <c>number:hash</c>; null without one.</param>
/// <param name="Rows">Rows of the tables that a restore counts.</param>
/// <param name="Files">SHA-256 of every file, by its path in the set.</param>
internal sealed record BackupManifest(
    string Format, DateTimeOffset CreatedAt, string PostgresVersion, string Migration, IReadOnlyList<string> KeyIds, IReadOnlyList<string> KeysInUse,
    string? AuditHead, IReadOnlyDictionary<string, long> Rows, IReadOnlyDictionary<string, string> Files)
{
    /// <summary>The format that this build writes and reads.</summary>
    public const string CurrentFormat = "openhands-backup-1";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    /// <summary>As text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads it; null when it is none.</summary>
    public static BackupManifest? Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<BackupManifest>(text, Json) is { Format: CurrentFormat } manifest ? manifest : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
