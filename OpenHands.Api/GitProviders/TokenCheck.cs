using System.Security.Cryptography;
using System.Text;
using OpenHands.Storage.Secrets;

namespace OpenHands.Api.GitProviders;

/// <summary>Asks the providers of posted tokens, before these are stored, whether they take them.</summary>
internal sealed class TokenCheck(ProviderTokenStore store, GitProviderClient client)
{
    /// <summary>The first provider that refuses its token, or the stored one at a new host; null when none does.</summary>
    public async Task<GitProvider?> FindRefusedAsync(string userId, IReadOnlyDictionary<string, ProviderToken> posted, CancellationToken cancellationToken)
    {
        foreach (var (name, token) in posted)
        {
            if (GitProvider.Find(name) is { } provider && await NewAsync(userId, name, token, cancellationToken) is { } changed
                && (await client.AskAsync(provider, token.Host, changed, cancellationToken)).Outcome == GitOutcome.TokenRefused)
                return provider;
        }

        return null;
    }

    // What is posted again as it is stored needs no question.
    private async Task<string?> NewAsync(string userId, string name, ProviderToken token, CancellationToken cancellationToken)
    {
        if (token.Token is not null || token.Host is null || !client.IsEnabled)
            return token.Token;
        if (await store.FindAsync(userId, name, cancellationToken) is not { } stored)
            return null;

        var value = stored.Host == token.Host ? null : Encoding.UTF8.GetString(stored.Value);
        CryptographicOperations.ZeroMemory(stored.Value);
        return value;
    }
}
