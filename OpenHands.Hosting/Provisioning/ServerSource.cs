namespace OpenHands.Hosting.Provisioning;

/// <summary>Where the programs of a server come from: the setting <c>auto</c>, <c>provisioned</c> or a folder.</summary>
/// <param name="Folder">The folder to take them from; null: search.</param>
/// <param name="UseInstalled">False: what is installed on the machine is not looked at.</param>
internal sealed record ServerSource(string? Folder, bool UseInstalled)
{
    /// <summary>Reads the setting; <paramref name="key"/> names it in the message when it is none of the three.</summary>
    public static ServerSource Parse(string? value, string key) => value switch
    {
        null or "" or "auto" => new(null, true),
        "provisioned" => new(null, false),
        ['/', ..] => new(value, true),
        _ => throw new InvalidOperationException($"{key} is '{value}'; it must be 'auto', 'provisioned' or the absolute path of a folder with the programs."),
    };
}
