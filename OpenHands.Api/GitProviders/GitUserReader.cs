using System.Text.Json;

namespace OpenHands.Api.GitProviders;

/// <summary>Reads what git providers say of a user. Their answers come from hosts that users name: nothing in them is trusted.</summary>
internal static class GitUserReader
{
    private const int LongestText = 512;
    private const int LongestAddress = 2048;

    /// <summary>The user in the answer of most of them.</summary>
    public static GitUser? Read(JsonElement user, string login, string name, string company) =>
        User(Text(user, "id"), Text(user, login), Text(user, "avatar_url", LongestAddress), Text(user, company), Text(user, name), Text(user, "email"));

    /// <summary>The user in an answer of Bitbucket.</summary>
    public static GitUser? ReadBitbucket(JsonElement user) => User(
        Text(user, "account_id") ?? Text(user, "uuid"), Text(user, "username") ?? Text(user, "nickname"),
        Text(Member(Member(user, "links"), "avatar"), "href", LongestAddress), company: null, Text(user, "display_name"), email: null);

    /// <summary>The user in an answer of Azure DevOps, which has no pictures that everybody may see.</summary>
    public static GitUser? ReadAzure(JsonElement connection)
    {
        var user = Member(connection, "authenticatedUser");
        var name = Text(user, "providerDisplayName");
        return User(Text(user, "id"), name, avatar: null, company: null, name, email: null);
    }

    private static GitUser? User(string? id, string? login, string? avatar, string? company, string? name, string? email) =>
        id is null || login is null ? null : new(id, login, IsPicture(avatar) ? avatar! : "", company, name, email);

    private static bool IsPicture(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var picture) && (picture.Scheme == Uri.UriSchemeHttps || picture.Scheme == Uri.UriSchemeHttp);

    private static JsonElement Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement parent, string name, int longest = LongestText)
    {
        var member = Member(parent, name);
        try
        {
            var text = member.ValueKind switch
            {
                JsonValueKind.String => member.GetString(),
                JsonValueKind.Number => member.GetRawText(),
                _ => null,
            };
            return text is { Length: > 0 } && text.Length <= longest ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair
        }
    }
}
