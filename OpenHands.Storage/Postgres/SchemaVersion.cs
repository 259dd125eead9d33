using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>Compares the migrations that the database has with those that this build knows.</summary>
internal static class SchemaVersion
{
    /// <summary>
    /// The migrations of this build that the database lacks, oldest first; empty when it can be used. A database that has more
    /// than this build knows is fine: migrations stay usable with the previous release running beside them.
    /// </summary>
    public static async Task<IReadOnlyList<string>> MissingAsync(OpenHandsDb db, CancellationToken cancellationToken)
    {
        var known = db.Database.GetMigrations().ToList();
        try
        {
            var applied = await db.Database
                .SqlQueryRaw<string>("""SELECT migration_id AS "Value" FROM "__EFMigrationsHistory" """)
                .ToListAsync(cancellationToken);
            return [.. known.Except(applied)];
        }
        catch (PostgresException undefined) when (undefined.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return known;
        }
    }
}
