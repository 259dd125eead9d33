using System.Text;
using System.Text.Json.Nodes;
using Jose;
using OpenHands.Storage.Secrets;
using Base64Url = System.Buffers.Text.Base64Url;

namespace OpenHands.Tests.Storage.Secrets;

public sealed class SecretCipherTests
{
    private const string Ring = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    private const string User = "0198c0de000070008000000000000001";

    // Made by an independent implementation of HKDF, AES key wrapping and AES-GCM (Python's cryptography), not by ours.
    private const string Vector =
        "eyJhbGciOiJBMjU2R0NNS1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoiMTFkNjBhN2VmNDU5YzY4MyIsIml2IjoiQUFFQ0F3UUZCZ2NJQ1FvTCIs"
        + "InRhZyI6ImNnYlNNNloyeUYxam54ODMwVVNsV2ciLCJ0ZW5hbnQiOiJ1c2VyOjAxOThjMGRlMDAwMDcwMDA4MDAwMDAwMDAwMDAwMDAxIiwic2Nv"
        + "cGUiOiJzZXR0aW5ncyIsInNlY3JldCI6IjAxOThjMGRlMDAwMDcwMDA4MDAwMDAwMDAwMDAwMDAxIiwia2V5IjoibGxtX2FwaV9rZXkiLCJ2ZXJz"
        + "aW9uIjozfQ.5HoI0FV8iwSlcRgJF_M01VTNarng7JyUMMgXJukjmbk.DA0ODxAREhMUFRYX.65VErhoViDxFB3k.gOmXs0Rz0WI341Le-q0rQw";

    private static readonly SecretPlace VectorPlace = new($"user:{User}", "settings", User, "llm_api_key", 3);

    private readonly SecretCipher _cipher = new(new KeyRing(Ring));

    [Fact]
    public void It_reads_what_another_implementation_wrote() => Assert.Equal("sk-vector-1", Read(VectorPlace, Vector));

    [Fact]
    public void Keys_are_derived_as_another_implementation_derives_them()
    {
        var key = new KeyRing(Ring).Current;
        Assert.Equal("11d60a7ef459c683", key.Id);
        Assert.Equal("fc2735a0424499663e33c2af419ab76501302d71d33b041169f747239cef2d08", Convert.ToHexStringLower(key.ForTenant($"user:{User}")));
    }

    [Fact]
    public void What_it_writes_is_a_standard_jwe_that_names_its_place_and_shows_nothing_else()
    {
        var jwe = Write(VectorPlace, "sk-canary");
        var header = Assert.IsType<JsonObject>(JsonNode.Parse(Base64Url.DecodeFromChars(jwe.Split('.')[0])));
        Assert.Equal(5, jwe.Split('.').Length);
        Assert.Equal("A256GCMKW", (string?)header["alg"]);
        Assert.Equal("A256GCM", (string?)header["enc"]);
        Assert.Equal("11d60a7ef459c683", (string?)header["kid"]);
        Assert.Equal($"user:{User}", (string?)header["tenant"]);
        Assert.Equal(3, (long?)header["version"]);
        Assert.DoesNotContain("canary", header.ToJsonString());
        Assert.Equal("sk-canary", Read(VectorPlace, jwe));
    }

    [Fact]
    public void The_same_secret_never_gives_the_same_text_twice() =>
        Assert.Equal(100, Enumerable.Range(0, 100).Select(_ => Write(VectorPlace, "same")).Distinct().Count());

    [Fact]
    public void Ten_thousand_ciphertexts_moved_to_another_row_tenant_key_or_version_are_all_refused()
    {
        var places = (
            from tenant in new[] { "user:1", "user:2", "organization:1", "organization:2" }
            from row in new[] { "1", "2", "3" }
            from key in new[] { "llm_api_key", "search_api_key", "mcp_config" }
            from version in new[] { 1, 2 }
            select new SecretPlace(tenant, "secrets", row, key, version)).ToList();
        var written = places.Select(place => (Place: place, Jwe: Write(place, $"secret of {place}"))).ToList();

        var moves = 0;
        foreach (var (home, jwe) in written)
        {
            foreach (var place in places.Where(place => place != home).Append(home with { Scope = "settings" }))
            {
                Refused(place, jwe);
                // Also with a header that names the new place: what is left is the tag, and for another tenant the key.
                Refused(place, WithHeader(jwe, header => Rewrite(header, place)));
                moves += 2;
            }

            // A part of one in another: the encrypted key, the vector, the text or the tag.
            foreach (var (_, otherJwe) in written.Where(other => other.Place != home).Take(3))
            {
                for (var part = 1; part < 5; part++, moves++)
                {
                    var parts = jwe.Split('.');
                    parts[part] = otherJwe.Split('.')[part];
                    Refused(home, string.Join('.', parts));
                }
            }
        }

        Assert.True(moves >= 10_000, $"{moves} moves");
        Assert.All(written, each => Assert.Equal($"secret of {each.Place}", Read(each.Place, each.Jwe)));

        void Refused(SecretPlace place, string jwe) =>
            Assert.DoesNotContain("secret of", Assert.Throws<SecretRefusedException>(() => _cipher.Decrypt(place, jwe)).ToString());
    }

    [Fact]
    public void A_ciphertext_under_the_name_of_another_key_of_the_ring_is_refused()
    {
        var ring = new KeyRing(Ring, $"{Ring}-of-before");
        var jwe = Write(VectorPlace, "sk-mine");
        var other = new SecretCipher(new KeyRing($"{Ring}-of-before")).Encrypt(VectorPlace, "sk-mine"u8.ToArray());
        var otherId = (string)JsonNode.Parse(Base64Url.DecodeFromChars(other.Split('.')[0]))!["kid"]!;
        var cipher = new SecretCipher(ring);
        Assert.Equal("sk-mine", Encoding.UTF8.GetString(cipher.Decrypt(VectorPlace, jwe)));
        Assert.Equal("sk-mine", Encoding.UTF8.GetString(cipher.Decrypt(VectorPlace, other)));
        Assert.Throws<SecretRefusedException>(() => cipher.Decrypt(VectorPlace, WithHeader(jwe, header => header["kid"] = otherId)));
    }

    [Fact]
    public void Rewriting_the_place_in_the_header_does_not_help()
    {
        var victim = VectorPlace with { Tenant = "user:victim", SecretId = "victim" };
        var parts = Write(VectorPlace, "sk-mine").Split('.');
        var header = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])).Replace(User, "victim");
        parts[0] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header));
        Assert.Throws<SecretRefusedException>(() => _cipher.Decrypt(victim, string.Join('.', parts)));
    }

    [Fact]
    public void Every_single_changed_character_is_refused()
    {
        for (var i = 0; i < Vector.Length; i++)
        {
            // Two letters whose first bits differ: the last letter of a part carries unused low bits.
            var changed = Vector.Remove(i, 1).Insert(i, Vector[i] is >= 'A' and <= 'P' ? "x" : "A");
            var failure = Record.Exception(() => _cipher.Decrypt(VectorPlace, changed));
            Assert.True(failure is SecretRefusedException or KeyRingMismatchException, $"at {i}: {failure}");
        }
    }

    [Theory]
    [InlineData("alg", "\"dir\"")]
    [InlineData("alg", "\"A128GCMKW\"")]
    [InlineData("enc", "\"A128GCM\"")]
    [InlineData("zip", "\"DEF\"")]
    [InlineData("crit", "[\"exp\"]")]
    [InlineData("kid", null)]
    [InlineData("kid", "7")]
    [InlineData("kid", "\"not an id of ours\"")]
    [InlineData("tenant", null)]
    [InlineData("version", "\"3\"")]
    [InlineData("version", "3.5")]
    public void A_header_that_we_never_write_is_refused(string member, string? value)
    {
        var parts = Vector.Split('.');
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!.AsObject();
        header.Remove(member);
        if (value is not null)
            header[member] = JsonNode.Parse(value);
        parts[0] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));
        Assert.Throws<SecretRefusedException>(() => _cipher.Decrypt(VectorPlace, string.Join('.', parts)));
    }

    [Fact]
    public void A_compressed_token_of_the_right_key_is_refused_before_it_is_inflated()
    {
        var key = new KeyRing(Ring).Current.ForTenant(VectorPlace.Tenant);
        var extra = new SecretHeader("11d60a7ef459c683", VectorPlace).ToExtraHeaders();
        var jwe = JWT.EncodeBytes("sk-zipped"u8.ToArray(), key, JweAlgorithm.A256GCMKW, JweEncryption.A256GCM, JweCompression.DEF, extra);
        Assert.Throws<SecretRefusedException>(() => _cipher.Decrypt(VectorPlace, jwe));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("....")]
    [InlineData("plain text")]
    [InlineData("e30.e30.e30.e30.e30")]
    [InlineData("bnVsbA....")]
    [InlineData("W10....")]
    public void Text_that_is_no_jwe_is_refused(string text) =>
        Assert.Throws<SecretRefusedException>(() => _cipher.Decrypt(VectorPlace, text));

    [Fact]
    public void A_repeated_header_member_is_refused()
    {
        var parts = Vector.Split('.');
        var header = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])).Replace("{\"alg\"", "{\"key\":\"x\",\"alg\"");
        parts[0] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header));
        Assert.Throws<SecretRefusedException>(() => _cipher.Decrypt(VectorPlace, string.Join('.', parts)));
    }

    [Fact]
    public void Another_key_ring_is_told_from_a_broken_secret()
    {
        var other = new SecretCipher(new KeyRing("another ring with more than 32 characters"));
        var mismatch = Assert.Throws<KeyRingMismatchException>(() => other.Decrypt(VectorPlace, Vector));
        Assert.Contains("11d60a7ef459c683", mismatch.Message);
        Assert.DoesNotContain(Ring, mismatch.ToString());
    }

    private static string WithHeader(string jwe, Action<JsonObject> change)
    {
        var parts = jwe.Split('.');
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!.AsObject();
        change(header);
        parts[0] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));
        return string.Join('.', parts);
    }

    private static void Rewrite(JsonObject header, SecretPlace place)
    {
        (header["tenant"], header["scope"], header["secret"]) = (place.Tenant, place.Scope, place.SecretId);
        (header["key"], header["version"]) = (place.Key, place.Version);
    }

    private string Write(SecretPlace place, string text) => _cipher.Encrypt(place, Encoding.UTF8.GetBytes(text));

    private string Read(SecretPlace place, string jwe) => Encoding.UTF8.GetString(_cipher.Decrypt(place, jwe));
}
