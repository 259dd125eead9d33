namespace OpenHands.Api.GitProviders;

/// <summary>How git providers are asked.</summary>
internal sealed class GitProviderOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "GitProviders";

    /// <summary>What to say about a timeout that is none.</summary>
    public const string TimeoutRule = "GitProviders:Timeout must be between 00:00:01 and 00:01:00.";

    /// <summary>Whether they are asked at all; false for a server that has no way out. Tokens are then stored unchecked.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether a user's token may name a host in a private network, such as one's own GitLab.</summary>
    public bool AllowPrivateHosts { get; set; }

    /// <summary>How long one may take to answer.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    internal bool HasTimeout => Timeout >= TimeSpan.FromSeconds(1) && Timeout <= TimeSpan.FromMinutes(1);
}
