using Microsoft.Extensions.Configuration;
using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>What the migration step is given: how to reach the database as its administrator, and the two logins to make.</summary>
/// <param name="Administrator">Connection string <c>openhands-admin</c>: may create roles, the schema and, if it is missing, the database.</param>
/// <param name="App">Login of connection string <c>openhands</c>: API and handlers.</param>
/// <param name="System">Login of connection string <c>openhands-system</c>: the worker's maintenance.</param>
public sealed record MigrationConnections(string Administrator, DatabaseLogin App, DatabaseLogin System)
{
    /// <summary>Role that owns the tables and that nobody logs in as.</summary>
    internal const string Owner = "openhands_owner";

    /// <summary>Reads the three connection strings and checks that they name three different roles.</summary>
    public static MigrationConnections From(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var administrator = Required(configuration, "openhands-admin");
        var app = DatabaseLogin.From("openhands", Required(configuration, "openhands"));
        var system = DatabaseLogin.From("openhands-system", Required(configuration, "openhands-system"));

        string?[] roles = [new NpgsqlConnectionStringBuilder(administrator).Username, app.Role, system.Role, Owner];
        return roles.Distinct().Count() == roles.Length
            ? new MigrationConnections(administrator, app, system)
            : throw new InvalidOperationException(
                $"The connection strings openhands-admin, openhands and openhands-system must name three different users, none of them {Owner}.");
    }

    // The text of a record would show the passwords.
    /// <inheritdoc />
    public override string ToString() => $"{nameof(MigrationConnections)} for {App.Role} and {System.Role}";

    private static string Required(IConfiguration configuration, string name) =>
        configuration.GetConnectionString(name) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException($"The migration step needs the connection string {name}: set ConnectionStrings__{name}.");
}
