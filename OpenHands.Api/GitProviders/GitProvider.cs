using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OpenHands.Api.GitProviders;

/// <summary>How a git provider is asked whose a token is.</summary>
/// <param name="Name">Name in the contract of the web front end.</param>
/// <param name="Title">Name for people.</param>
/// <param name="Address">Where to ask, for the host that the user named; null where the host is no host.</param>
/// <param name="Authorization">How a token is sent.</param>
/// <param name="Read">The user in the answer; null where there is none.</param>
internal sealed record GitProvider(
    string Name, string Title, Func<string?, Uri?> Address, Func<string, AuthenticationHeaderValue> Authorization, Func<JsonElement, GitUser?> Read)
{
    private const string AzureHost = "dev.azure.com";

    /// <summary>All that can be asked, in the order in which they are.</summary>
    public static readonly GitProvider[] All =
    [
        new("github", "GitHub", host => IsOwn(host, "github.com") ? new("https://api.github.com/user") : GitHost.Address(host, "api/v3/user"),
            Bearer, user => GitUserReader.Read(user, "login", "name", "company")),
        new("gitlab", "GitLab", host => GitHost.Address(host ?? "gitlab.com", "api/v4/user"),
            Bearer, user => GitUserReader.Read(user, "username", "name", "organization")),
        new("bitbucket", "Bitbucket", host => IsOwn(host, "bitbucket.org") ? new("https://api.bitbucket.org/2.0/user") : GitHost.Address(host, "2.0/user"),
            token => token.Contains(':', StringComparison.Ordinal) ? Basic(token) : Bearer(token), GitUserReader.ReadBitbucket),
        new("azure_devops", "Azure DevOps", AzureAddress,
            token => token.Count(letter => letter == '.') == 2 ? Bearer(token) : Basic($":{token}"), GitUserReader.ReadAzure),
        new("forgejo", "Forgejo", host => GitHost.Address(host ?? "codeberg.org", "api/v1/user"),
            token => new("token", token), user => GitUserReader.Read(user, "login", "full_name", "organization")),
    ];

    /// <summary>The one of that name; null where it cannot be asked.</summary>
    public static GitProvider? Find(string name) => Array.Find(All, provider => provider.Name == name);

    private static bool IsOwn(string? host, string own) => host is null || string.Equals(host, own, StringComparison.OrdinalIgnoreCase);

    // The form asks for the organization; some paste its address, or that of a project.
    private static Uri? AzureAddress(string? host)
    {
        const string question = "_apis/connectionData?api-version=7.1-preview.1";
        if (host is null)
            return null;

        var named = GitHost.Address(host, "");
        if (host.IndexOfAny(['/', '.', ':']) < 0)
            return GitHost.Address($"{AzureHost}/{host}", question);
        return named?.Host == AzureHost
            ? named.Segments.Length > 1 ? GitHost.Address($"{AzureHost}/{named.Segments[1].Trim('/')}", question) : null
            : GitHost.Address(host, question);
    }

    private static AuthenticationHeaderValue Bearer(string token) => new("Bearer", token);

    private static AuthenticationHeaderValue Basic(string pair) => new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes(pair)));
}
