using System.ComponentModel.DataAnnotations;

namespace OpenHands.Worker.Webhooks;

/// <summary>How events are sent to webhooks.</summary>
internal sealed class WebhookOptions
{
    /// <summary>Section of the configuration.</summary>
    public const string Section = "Webhooks";

    /// <summary>True to let webhooks lead to this machine and into private networks: only where every tenant may reach those anyway.</summary>
    public bool AllowPrivateNetworks { get; set; }

    /// <summary>How long a receiver may take to answer.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);
}
