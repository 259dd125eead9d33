using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>
/// Brings a database up to this build: database, roles, tables, rights. Safe to run again and from several processes at once;
/// what it does may happen while the previous release is serving.
/// </summary>
public sealed partial class DatabaseMigrator(MigrationConnections connections, TimeProvider time, ILogger<DatabaseMigrator> logger)
{
    /// <summary>Key of the advisory lock that one migrating process holds; any constant that nothing else uses.</summary>
    internal const long LockKey = 0x6f70656e68616e64; // "openhand"

    private const int LockTimeoutAttempts = 20;

    private static readonly TimeSpan ServerPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(200);

    private readonly string _administrator = new NpgsqlConnectionStringBuilder(connections.Administrator)
    {
        Pooling = false, // SET ROLE and the lock end with the connection
        Timeout = 5,
        CommandTimeout = 0, // building an index takes as long as it takes
        ApplicationName = "openhands migrations",
    }.ConnectionString;

    /// <summary>Waits for PostgreSQL and for other migrating processes, then migrates.</summary>
    /// <returns>The migrations that this call applied, oldest first; empty when there was nothing to do.</returns>
    /// <exception cref="NpgsqlException">PostgreSQL did not come up within two minutes, or refused.</exception>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken = default)
    {
        // One connection for everything: whoever loses it loses the lock, and cannot go on changing tables.
        await using var connection = await ConnectAsync(cancellationToken);
        await LockAsync(connection, cancellationToken);

        await new DatabaseRoles(connection, connections).EnsureAsync(cancellationToken);
        LogRoles(logger, connections.App.Role, connections.System.Role);

        var grants = new DatabaseGrants(connection, connections);
        await grants.OpenSchemaAsync(cancellationToken);
        await connection.ExecuteAsync($"SET ROLE {MigrationConnections.Owner}; SET lock_timeout = '3s'", cancellationToken);
        await grants.SetDefaultsAsync(cancellationToken);
        var applied = await ApplyAsync(connection, cancellationToken);
        await grants.GrantAsync(cancellationToken);
        LogDone(logger, applied.Count);
        return applied;
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(100); ; pause = pause < TimeSpan.FromSeconds(2) ? pause * 2 : pause)
        {
            try
            {
                return await OpenAsync(_administrator, cancellationToken);
            }
            catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.InvalidCatalogName)
            {
                await CreateDatabaseAsync(cancellationToken);
            }
            catch (NpgsqlException failure) when (MayPass(failure) && time.GetElapsedTime(started) < ServerPatience)
            {
                LogWaiting(logger, failure.Message);
                await Task.Delay(pause, time, cancellationToken);
            }
        }
    }

    private static bool MayPass(NpgsqlException failure) => DatabaseAvailability.IsUnavailable(failure)
        && failure.SqlState is not (PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification);

    private async Task CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(_administrator);
        var name = settings.Database ?? throw new InvalidOperationException("The connection string openhands-admin must name a database.");
        settings.Database = "postgres";
        await using var server = await OpenAsync(settings.ConnectionString, cancellationToken);
        try
        {
            await server.ExecuteAsync($"CREATE DATABASE {Statements.Quoted(name)}", cancellationToken);
            LogDatabase(logger, name);
        }
        catch (PostgresException exists) when (exists.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another migrating process was faster.
        }
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    // Asks again and again: a statement that waits for the lock would hold a snapshot, for which
    // CREATE INDEX CONCURRENTLY in the process that has the lock would wait in turn.
    private async Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var told = false;
        while (!await connection.ValueAsync<bool>("SELECT pg_try_advisory_lock($1)", LockKey, cancellationToken))
        {
            if (!told)
                LogLocked(logger);
            told = true;
            await Task.Delay(LockPoll, time, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<string>> ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(connection).UseOpenHandsDb();
        await using var db = new OpenHandsDb(options.Options);
        // Asking a new database for its history would put an error into the server's log.
        await db.GetService<IHistoryRepository>().CreateIfNotExistsAsync(cancellationToken);

        // A change that cannot get its table within the lock timeout lets the waiting queries through and tries again.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var pending = (await db.Database.GetPendingMigrationsAsync(cancellationToken)).ToList();
                foreach (var migration in pending)
                    LogPending(logger, migration);
                await db.Database.MigrateAsync(cancellationToken);
                return pending;
            }
            catch (PostgresException busy) when (busy.SqlState == PostgresErrorCodes.LockNotAvailable && attempt < LockTimeoutAttempts)
            {
                LogBusy(logger, attempt, LockTimeoutAttempts);
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancellationToken);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Waiting for PostgreSQL: {Reason}")]
    private static partial void LogWaiting(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "Created the database {Database}")]
    private static partial void LogDatabase(ILogger logger, string database);

    [LoggerMessage(LogLevel.Information, "Another process is migrating this database; waiting for it")]
    private static partial void LogLocked(ILogger logger);

    [LoggerMessage(LogLevel.Information, "Roles {App} and {System} are there and hold only what they need")]
    private static partial void LogRoles(ILogger logger, string app, string system);

    [LoggerMessage(LogLevel.Information, "Applying migration {Migration}")]
    private static partial void LogPending(ILogger logger, string migration);

    [LoggerMessage(LogLevel.Warning, "A table is in use and was not to be had within the lock timeout, trying again ({Attempt} of {Attempts})")]
    private static partial void LogBusy(ILogger logger, int attempt, int attempts);

    [LoggerMessage(LogLevel.Information, "The database is up to date ({Count} migrations applied)")]
    private static partial void LogDone(ILogger logger, int count);
}
