using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OpenHands.Storage.Secrets;

namespace OpenHands.Peers.Tests;

/// <summary>Our JWEs are those of everybody: other implementations open them, and we open theirs, where they belong.</summary>
public sealed class JoseTests
{
    private const string Secret = "sk-päss\u0000-1";
    private static readonly SecretPlace Place = new("user:0198c0de000070008000000000000001", "settings", "0198c0de000070008000000000000001", "llm_api_key", 7);
    private readonly KeyRing _keys = new("a key ring of the peer tests, long enough");

    [Theory]
    [InlineData("npm")]
    [InlineData("python")]
    public async Task What_we_encrypt_others_open(string peer)
    {
        var jwe = new SecretCipher(_keys).Encrypt(Place, Encoding.UTF8.GetBytes(Secret));

        var opened = await AskAsync(peer, new JsonObject { ["do"] = "open", ["key"] = Key(), ["jwe"] = jwe });

        Assert.Equal(Secret, Encoding.UTF8.GetString(Base64Url.DecodeFromChars((string)opened["plaintext"]!)));
        Assert.Equal("A256GCMKW", (string?)opened["header"]!["alg"]);
        Assert.Equal(Place.Tenant, (string?)opened["header"]!["tenant"]);
        Assert.Equal(Place.Version, (long?)opened["header"]!["version"]);
    }

    [Theory]
    [InlineData("npm")]
    [InlineData("python")]
    public async Task What_others_encrypt_for_a_place_we_open_there_and_nowhere_else(string peer)
    {
        var jwe = await MakeAsync(peer, Header());
        var cipher = new SecretCipher(_keys);

        Assert.Equal(Secret, Encoding.UTF8.GetString(cipher.Decrypt(Place, jwe)));
        Assert.Throws<SecretRefusedException>(() => cipher.Decrypt(Place with { Key = "search_api_key" }, jwe));
        Assert.Throws<SecretRefusedException>(() => cipher.Decrypt(Place with { Version = 8 }, jwe));
    }

    [Theory]
    [InlineData("npm", "enc", "A128GCM")]
    [InlineData("npm", "alg", "A256KW")]
    [InlineData("python", "enc", "A128GCM")]
    [InlineData("python", "alg", "A256KW")]
    [InlineData("python", "zip", "DEF")]
    public async Task What_we_never_write_is_refused_though_the_key_is_right(string peer, string member, string value)
    {
        var header = Header();
        header[member] = value;
        var jwe = await MakeAsync(peer, header);

        Assert.Throws<SecretRefusedException>(() => new SecretCipher(_keys).Decrypt(Place, jwe));
    }

    private JsonObject Header() => new()
    {
        ["alg"] = "A256GCMKW",
        ["enc"] = "A256GCM",
        ["kid"] = _keys.Current.Id,
        ["tenant"] = Place.Tenant,
        ["scope"] = Place.Scope,
        ["secret"] = Place.SecretId,
        ["key"] = Place.Key,
        ["version"] = Place.Version,
    };

    private string Key()
    {
        var key = _keys.Current.ForTenant(Place.Tenant);
        try
        {
            return Base64Url.EncodeToString(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private async Task<string> MakeAsync(string peer, JsonObject header) => (string)(await AskAsync(peer, new JsonObject
    {
        ["do"] = "make",
        ["key"] = Key(),
        ["plaintext"] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Secret)),
        ["header"] = header,
    }))["jwe"]!;

    private static async Task<JsonObject> AskAsync(string peer, JsonObject order)
    {
        // Debian's python, whatever other one is first on the path.
        var (program, script) = peer == "npm" ? ("node", "npm/jwe.mjs") : ("/usr/bin/python3", "python/jwe.py");
        var answer = await Peer.RunAsync(program, [Path.Combine(Folder(), script)], order.ToJsonString());
        return JsonNode.Parse(answer)!.AsObject();
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
