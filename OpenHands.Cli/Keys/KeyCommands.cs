using System.CommandLine;
using System.Globalization;
using Npgsql;
using OpenHands.Cli.Terminal;
using OpenHands.Storage;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Organizations;

namespace OpenHands.Cli.Keys;

/// <summary>API keys, also the first of an installation that has no user yet.</summary>
internal static class KeyCommands
{
    private static readonly Option<string> Name = new("--name") { Description = "Name to show.", DefaultValueFactory = _ => "operator" };
    private static readonly Option<string?> User = new("--user") { Description = "Id of the user for whom it speaks; not needed while there is one user or none.", HelpName = "id" };
    private static readonly Option<string?> Organization = new("--organization") { Description = "Id of the organization it works in; the user's active one when it is not given.", HelpName = "id" };
    private static readonly Option<string[]> Scopes = new("--scopes")
    {
        Description = $"What it may be used for: {string.Join(", ", ApiKeyScopes.All)}. All of them when it is not given.",
        AllowMultipleArgumentsPerToken = true,
        HelpName = "scope",
    };

    private static readonly Option<int?> Days = new("--days") { Description = "Days until it is refused; never when it is not given." };
    private static readonly Argument<string> Id = new("id") { Description = "Id of the key, as 'keys list' shows it." };

    /// <summary>The verbs below <c>keys</c>.</summary>
    public static Command Create(Verbs verbs) => new("keys", "API keys, for all users.")
    {
        verbs.Verb("create", "Makes a key and shows it, once. In an installation without users it first makes one, with an organization that it rules.", CreateAsync, Name, User, Organization, Scopes, Days),
        verbs.Verb("list", "Lists the keys, without the keys themselves.", ListAsync, Organization),
        verbs.Verb("revoke", "Ends a key; it is refused everywhere within a second.", RevokeAsync, Id),
    };

    private static async Task<Outcome> CreateAsync(Work work, CancellationToken cancellationToken)
    {
        string[] scopes = [.. (work.Arguments.GetValue(Scopes) ?? []).SelectMany(scope => scope.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))];
        if (scopes.Except(ApiKeyScopes.All).FirstOrDefault() is { } unknown)
            throw new OperatorException($"There is no scope {unknown}. There are: {string.Join(", ", ApiKeyScopes.All)}.");
        if (work.Arguments.GetValue(Days) is <= 0)
            throw new OperatorException("--days must be at least 1.");

        var user = work.Arguments.GetValue(User) ?? await OnlyUserAsync(work, cancellationToken);
        await using var stores = await Stores.OpenAsync(work.Installation, user, work.Arguments.GetValue(Organization));
        await stores.Get<FirstLogin>().EnsureAsync(mayMakeUser: true, cancellationToken);
        DateTimeOffset? expires = work.Arguments.GetValue(Days) is { } days ? work.Time.GetUtcNow().AddDays(days) : null;
        var made = await stores.Get<ApiKeyStore>().CreateAsync(work.Arguments.GetValue(Name)!, scopes.Length == 0 ? ApiKeyScopes.All : scopes, expires, cancellationToken)
            ?? throw new OperatorException("The user is not a member of this organization. Name one with --organization, or another user with --user.");
        return new Outcome(
            $"""
            {made.Key}

            This is the only time that it is shown. Key {made.Summary.Id} speaks for user {user} in organization {made.Summary.OrganizationId}.
            """,
            new { made.Summary.Id, made.Key, UserId = user, made.Summary.OrganizationId, made.Summary.Scopes, made.Summary.ExpiresAt });
    }

    private static async Task<string> OnlyUserAsync(Work work, CancellationToken cancellationToken)
    {
        await using var administrator = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        await using var select = new NpgsqlCommand("SELECT id FROM users ORDER BY id LIMIT 2", administrator);
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        var users = new List<string>();
        while (await rows.ReadAsync(cancellationToken))
            users.Add(rows.GetString(0));
        if (users.Count == 0)
            work.Report("There is no user yet: making one.");
        return users.Count switch
        {
            0 => EntityId.New(work.Time),
            1 => users[0],
            _ => throw new OperatorException("There are several users: say for whom the key speaks with --user <id>."),
        };
    }

    private static async Task<Outcome> ListAsync(Work work, CancellationToken cancellationToken)
    {
        await using var administrator = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        await using var select = new NpgsqlCommand(
            """
            SELECT id, name, prefix, user_id, organization_id, scopes, created_at, last_used_at, expires_at FROM api_keys
            WHERE $1::text IS NULL OR organization_id = $1 ORDER BY id
            """, administrator);
        select.Parameters.Add(new NpgsqlParameter { Value = (object?)work.Arguments.GetValue(Organization) ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        var keys = new List<ListedKey>();
        while (await rows.ReadAsync(cancellationToken))
        {
            keys.Add(new ListedKey(
                rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetString(4), rows.GetFieldValue<string[]>(5),
                rows.GetFieldValue<DateTimeOffset>(6), Instant(rows, 7), Instant(rows, 8)));
        }

        return new Outcome(keys.Count == 0 ? "No keys." : string.Join('\n', keys.Select(key => key.ToString())), keys);
    }

    private static async Task<Outcome> RevokeAsync(Work work, CancellationToken cancellationToken)
    {
        var id = work.Arguments.GetValue(Id)!;
        await using var administrator = await Installation.OpenAsync(work.Installation.Administrator, cancellationToken);
        await using var delete = new NpgsqlCommand("DELETE FROM api_keys WHERE id = $1", administrator);
        delete.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        return await delete.ExecuteNonQueryAsync(cancellationToken) == 1
            ? new Outcome($"Key {id} is revoked.", new { Id = id, Revoked = true })
            : throw new OperatorException($"There is no key {id}. 'keys list' shows their ids.");
    }

    private static DateTimeOffset? Instant(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

    private sealed record ListedKey(
        string Id, string Name, string Prefix, string UserId, string OrganizationId, string[] Scopes, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? ExpiresAt)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"{Id}  {Prefix}…  {Name}  user {UserId}  organization {OrganizationId}  {string.Join(' ', Scopes)}  last used {LastUsedAt?.ToString("u", CultureInfo.InvariantCulture) ?? "never"}{(ExpiresAt is { } at ? $"  until {at:u}" : "")}");
    }
}
