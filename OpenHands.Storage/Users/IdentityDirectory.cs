using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace OpenHands.Storage.Users;

/// <summary>
/// Tells which user somebody is whom an issuer vouches for, and makes the user the first time, once however many requests race.
/// What PostgreSQL said is believed for two seconds, so that a user who was removed is refused everywhere soon after.
/// </summary>
public sealed class IdentityDirectory(IServiceScopeFactory scopes, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(2);

    // About 400 bytes each.
    private const int Most = 20_000;

    private readonly ConcurrentDictionary<Identity, (string? UserId, long At)> _known = new();

    /// <summary>Id of the user; null when the user was removed.</summary>
    /// <param name="identity">What the issuer says.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public async Task<string?> SignInAsync(Identity identity, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(identity, out var known) && time.GetElapsedTime(known.At) < Lifetime)
            return known.UserId;

        ArgumentNullException.ThrowIfNull(identity);
        var asked = time.GetTimestamp();
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<OpenHandsDb>();
        var (issuer, subject, email, name) = identity;
        var rows = await db.Database
            .SqlQuery<string?>($"""SELECT sign_in_identity({issuer}, {subject}, {email}::text, {name}::text, {EntityId.New(time)}, {time.GetUtcNow()}) AS "Value" """)
            .ToListAsync(cancellationToken);
        if (_known.Count >= Most)
            _known.Clear();
        _known[identity] = (rows.Single(), asked);
        return rows.Single();
    }
}

/// <summary>What an issuer says of somebody.</summary>
/// <param name="Issuer">The issuer.</param>
/// <param name="Subject">The subject, which never changes.</param>
/// <param name="Email">The address, if the issuer verified it; else null.</param>
/// <param name="Name">Name to show, or null.</param>
public sealed record Identity(string Issuer, string Subject, string? Email, string? Name);
