using System.Text.Json.Nodes;

namespace OpenHands.Storage.Sessions;

/// <summary>JSON merge patch (RFC 7396).</summary>
internal static class MergePatch
{
    /// <summary>What the target becomes. An object is changed itself; the patch is not.</summary>
    public static JsonNode? Apply(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
            return patch?.DeepClone();

        var result = target as JsonObject ?? [];
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                result.Remove(name);
                continue;
            }

            var former = result[name];
            if (Apply(former, value) is var merged && merged != former)
                result[name] = merged;
        }

        return result;
    }
}
