using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace OpenHands.Storage.Redis;

/// <summary>A Lua script that is embedded beside the class that runs it; Redis gets its text once and its hash afterwards.</summary>
internal sealed class RedisScript
{
    private readonly byte[] _hash;

    private RedisScript(string text) => (Text, _hash) = (text, HashOf(text));

    /// <summary>The script with its header.</summary>
    public string Text { get; }

    /// <summary>Reads an embedded script.</summary>
    /// <param name="fileName">Name of the file, with its ending .lua.</param>
    public static RedisScript Load(string fileName)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(fileName)
            ?? throw new InvalidOperationException($"The script {fileName} is not embedded.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return new RedisScript(reader.ReadToEnd());
    }

    /// <summary>Runs the script. Redis forgets scripts when it restarts; then the text is sent again.</summary>
    public async Task<RedisResult> RunAsync(IDatabase database, RedisKey[] keys, RedisValue[] arguments)
    {
        try
        {
            return await database.ScriptEvaluateAsync(_hash, keys, arguments);
        }
        catch (RedisServerException unknown) when (unknown.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await database.ExecuteAsync("EVAL", [Text, keys.Length, .. keys.Cast<object>(), .. arguments.Cast<object>()]);
        }
    }

#pragma warning disable CA5350 // Redis names scripts by their SHA-1; nothing is protected by it.
    private static byte[] HashOf(string text) => SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
}
