using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Sessions;
using OpenHands.Storage.Settings;

namespace OpenHands.Cli.Import;

/// <summary>Gives a user what was found in a file store, through the platform's own stores and their rules.</summary>
internal sealed class FileStoreImport(Stores stores, string userId, bool overwrite, bool dryRun, TimeProvider time)
{
    // What OpenHands shows in place of a secret, and would store if it were posted back.
    private const string Mask = "**********";

    private static readonly string[] Providers = ["github", "gitlab", "bitbucket", "forgejo", "azure_devops", "enterprise_sso"];

    private readonly ImportReport _report = new();

    /// <summary>Takes everything that can be taken.</summary>
    public async Task<ImportReport> RunAsync(FileStore found, CancellationToken cancellationToken)
    {
        if (!dryRun)
            await stores.Get<FirstLogin>().EnsureAsync(mayMakeUser: true, cancellationToken);
        await SettingsAsync(found.Settings, cancellationToken);
        await SecretsAsync(found.Secrets, cancellationToken);
        await ProvidersAsync(found.Providers, cancellationToken);
        await ConversationsAsync(found.Conversations, cancellationToken);
        return _report;
    }

    private async Task SettingsAsync(JsonObject? settings, CancellationToken cancellationToken)
    {
        var taken = new JsonObject();
        foreach (var (name, value) in settings?.ToList() ?? [])
        {
            if (value is null)
                continue;
            var known = name == SettingsFields.McpConfig || SettingsFields.KeysAndWhetherEmptyClears.ContainsKey(name) || SettingsFields.Document.Any(field => field.Name == name);
            var problems = new List<FieldProblem>();
            _ = SettingsChanges.Read(new JsonObject { [name] = value.DeepClone() }, problems);
            if (!known)
                _report.Add("setting", name, ImportResult.Kept, "not a setting of this platform");
            else if (value.ToJsonString().Contains(Mask, StringComparison.Ordinal))
                _report.Add("setting", name, ImportResult.Refused, "the file holds a mask in its place, not the value");
            else if (problems.Count > 0)
                _report.Add("setting", name, ImportResult.Refused, $"must be {problems[0].Expected}");
            else
                taken[name] = value.DeepClone();
        }

        if (taken.Count > 0 && !dryRun && await stores.Get<SettingsStore>().MergeAsync(userId, new SettingsPost(taken.DeepClone().AsObject()), cancellationToken) is { } refusal)
        {
            _report.Add("setting", refusal.Field?.Field ?? "all of them", ImportResult.Refused, "the settings as a whole were not taken");
            return;
        }

        foreach (var (name, _) in taken)
            _report.Add("setting", name, ImportResult.Taken);
    }

    private async Task SecretsAsync(IReadOnlyDictionary<string, (string? Value, string? Description)> secrets, CancellationToken cancellationToken)
    {
        var store = stores.Get<SecretStore>();
        var owner = SecretOwner.User(userId);
        HashSet<string> here = [.. (await store.ListAsync(owner, cancellationToken)).Select(secret => secret.Name)];
        foreach (var (name, (value, description)) in secrets)
        {
            if ((value == Mask ? "the file holds a mask in its place, not the value" : SecretName.Problem(name, description) ?? SecretName.ProblemOfValue(value)) is { } problem)
                _report.Add("secret", name, ImportResult.Refused, problem);
            else if (here.Contains(name) && !overwrite)
                _report.Add("secret", name, ImportResult.Kept, "there is one of this name; --overwrite gives it the value from the file");
            else if (dryRun || await StoreAsync(name, value!, description) == SecretOutcome.Done)
                _report.Add("secret", name, ImportResult.Taken);
            else
                _report.Add("secret", name, ImportResult.Refused, "somebody else changed it meanwhile");
        }

        Task<SecretOutcome> StoreAsync(string name, string value, string? description) => here.Contains(name)
            ? store.ReplaceValueAsync(owner, name, value, cancellationToken)
            : store.AddAsync(owner, name, value, description, cancellationToken);
    }

    private async Task ProvidersAsync(IReadOnlyDictionary<string, (string? Token, string? Host)> found, CancellationToken cancellationToken)
    {
        var here = await stores.Db.Secrets.Where(secret => secret.UserId == userId && secret.Kind == SecretKind.ProviderToken)
            .Select(secret => new { secret.Key, secret.Host }).ToDictionaryAsync(secret => secret.Key, secret => secret.Host, cancellationToken);
        var tokens = here.ToDictionary(kept => kept.Key, kept => new ProviderToken(null, kept.Value));
        foreach (var (provider, (token, host)) in found)
        {
            if (!Providers.Contains(provider) || token == Mask)
                _report.Add("provider token", provider, ImportResult.Refused, token == Mask ? "the file holds a mask in its place, not the value" : $"must be one of {string.Join(", ", Providers)}");
            else if (here.ContainsKey(provider) && !overwrite)
                _report.Add("provider token", provider, ImportResult.Kept, "there is one; --overwrite gives it the one from the file");
            else
                tokens[provider] = new ProviderToken(token, string.IsNullOrWhiteSpace(host) ? null : host);
        }

        if (!dryRun && tokens.Values.Any(token => token.Token is not null))
            await stores.Get<ProviderTokenStore>().ReplaceAsync(userId, tokens, cancellationToken);
        foreach (var provider in tokens.Where(token => token.Value.Token is not null).Select(token => token.Key))
            _report.Add("provider token", provider, ImportResult.Taken);
    }

    private async Task ConversationsAsync(IReadOnlyDictionary<string, JsonObject> conversations, CancellationToken cancellationToken)
    {
        foreach (var (id, metadata) in conversations)
        {
            if (await stores.Db.Sessions.AnyAsync(session => session.UserId == userId && session.ConversationId == id, cancellationToken))
            {
                _report.Add("conversation", id, ImportResult.Kept, "it is here already");
                continue;
            }

            if (!dryRun)
                await SaveAsync(id, metadata, cancellationToken);
            _report.Add("conversation", id, ImportResult.Taken);
        }
    }

    private async Task SaveAsync(string id, JsonObject metadata, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        stores.Db.Sessions.Add(new Session
        {
            Id = EntityId.New(time),
            UserId = userId,
            ConversationId = id,
            State = metadata.ToJsonString(),
            Version = 1,
            CreatedAt = now,
            UpdatedAt = now,
            LastAccessedAt = now,
        });
        await stores.Db.SaveChangesAsync(cancellationToken);
        stores.Db.ChangeTracker.Clear();
    }
}
