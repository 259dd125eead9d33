namespace OpenHands.Storage.Settings;

/// <summary>Why a posted field was refused. It repeats no value: the value may be a secret.</summary>
/// <param name="Field">Which field, such as <c>mcp_config.sse_servers[0].url</c>.</param>
/// <param name="Expected">What it must be; completes "… must be".</param>
public sealed record FieldProblem(string Field, string Expected)
{
    /// <summary>A sentence for a person.</summary>
    public string Message => $"{Field} must be {Expected}.";
}
