using Npgsql;

namespace OpenHands.Storage.Postgres;

/// <summary>A role that a service logs in as, and its password.</summary>
public sealed class DatabaseLogin
{
    private DatabaseLogin(string role, string password) => (Role, Password) = (role, password);

    /// <summary>Name of the role.</summary>
    public string Role { get; }

    internal string Password { get; }

    /// <summary>Takes user name and password out of a connection string.</summary>
    /// <param name="name">Name of the connection string, for messages.</param>
    /// <param name="connectionString">The connection string.</param>
    public static DatabaseLogin From(string name, string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (string.IsNullOrEmpty(settings.Username) || string.IsNullOrEmpty(settings.Password))
            throw new InvalidOperationException($"The connection string {name} must have a user name and a password: the migration step makes that role.");
        // Anything else would need SASLprep (RFC 4013), in which client and server must agree.
        if (!settings.Password.All(letter => letter is >= ' ' and <= '~'))
            throw new InvalidOperationException($"The password in the connection string {name} must be printable ASCII.");
        return new DatabaseLogin(settings.Username, settings.Password);
    }

    /// <inheritdoc />
    public override string ToString() => Role;
}
