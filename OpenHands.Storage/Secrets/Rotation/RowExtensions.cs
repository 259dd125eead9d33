using Npgsql;

namespace OpenHands.Storage.Secrets.Rotation;

internal static class RowExtensions
{
    /// <summary>The text of a column; null for SQL's NULL.</summary>
    public static string? Text(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
