using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace OpenHands.Storage.Locks;

/// <summary>Numbers that only grow, from a sequence of PostgreSQL.</summary>
public sealed class FencingTokens(IServiceScopeFactory scopes)
{
    /// <summary>Name of the sequence.</summary>
    internal const string Sequence = "fencing_tokens";

    /// <summary>A number greater than all that were drawn before.</summary>
    public async Task<long> DrawAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<OpenHandsDb>().Database;
        await database.OpenConnectionAsync(cancellationToken);
#pragma warning disable RS0030 // A sequence belongs to no tenant, and a query of EF would cost more than the rest of the lock.
        await using var command = database.GetDbConnection().CreateCommand();
#pragma warning restore RS0030
        command.CommandText = $"SELECT nextval('{Sequence}')";
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!; // a sequence always has a next value
    }
}
