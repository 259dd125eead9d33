using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>Makes the three roles of the platform; doing it again changes nothing.</summary>
internal sealed class DatabaseRoles(NpgsqlConnection administrator, MigrationConnections connections)
{
    // Roles belong to the whole server, our lock only to one database: two databases may be set up at the same time.
    private const int Attempts = 20;

    private const string Unprivileged = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS";

    /// <summary>Creates the roles that are missing and corrects attributes and passwords that differ.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await InRaceAsync(() => EnsureAsync(MigrationConnections.Owner, "NOLOGIN", cancellationToken));
        await InRaceAsync(() => LetActAsOwnerAsync(cancellationToken));
        foreach (var login in new[] { connections.App, connections.System })
        {
            await InRaceAsync(() => EnsureAsync(login.Role, "LOGIN", cancellationToken));
            await InRaceAsync(() => EnsurePasswordAsync(login, cancellationToken));
        }
    }

    private async Task EnsureAsync(string role, string login, CancellationToken cancellationToken)
    {
        var found = await administrator.ValueAsync<string>(
            """
            SELECT CASE WHEN rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls THEN 'PRIVILEGED'
                        WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END
            FROM pg_roles WHERE rolname = $1
            """, role, cancellationToken);
        if (found == login)
            return;

        var verb = found is null ? "CREATE" : "ALTER";
        await administrator.ExecuteAsync($"{verb} ROLE {Statements.Quoted(role)} {login} {Unprivileged}", cancellationToken);
    }

    private async Task EnsurePasswordAsync(DatabaseLogin login, CancellationToken cancellationToken)
    {
        // Only a superuser may compare; any other administrator sets the password every time.
        var comparable = await administrator.ValueAsync<bool>("SELECT has_table_privilege('pg_authid', 'SELECT')", null, cancellationToken);
        if (comparable)
        {
            var stored = await administrator.ValueAsync<string>("SELECT rolpassword FROM pg_authid WHERE rolname = $1", login.Role, cancellationToken);
            if (ScramVerifier.Matches(stored, login.Password))
                return;
        }

        // A verifier has no character that would end the literal.
        await administrator.ExecuteAsync(
            $"ALTER ROLE {Statements.Quoted(login.Role)} PASSWORD '{ScramVerifier.Create(login.Password)}'", cancellationToken);
    }

    // A superuser acts as any role; the administrator of a managed server has to be a member.
    private async Task LetActAsOwnerAsync(CancellationToken cancellationToken)
    {
        // Since version 16 whoever made a role is a member of it, but may not yet act as it.
        var right = administrator.PostgreSqlVersion.Major >= 16 ? "SET" : "MEMBER";
        if (!await administrator.ValueAsync<bool>($"SELECT pg_has_role($1, '{right}')", MigrationConnections.Owner, cancellationToken))
            await administrator.ExecuteAsync($"GRANT {MigrationConnections.Owner} TO CURRENT_USER", cancellationToken);
    }

    private static async Task InRaceAsync(Func<Task> change)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await change();
                return;
            }
            catch (PostgresException faster) when (attempt < Attempts && faster.SqlState
                is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.InternalError)
            {
                // Another database's set-up made or changed the same role ("tuple concurrently updated" is an internal error): look again.
            }
        }
    }
}
