namespace OpenHands.Api.WebClient;

/// <summary>Switches of the front end. It reads all of them, so none may be left out of the answer.</summary>
public sealed class WebClientFeatures
{
    /// <summary>Shows billing.</summary>
    public bool EnableBilling { get; set; }

    /// <summary>Hides the LLM settings, where an administrator sets them for everybody.</summary>
    public bool HideLlmSettings { get; set; }

    /// <summary>Offers the integration with Jira.</summary>
    public bool EnableJira { get; set; }

    /// <summary>Offers the integration with Jira Data Center.</summary>
    public bool EnableJiraDc { get; set; }

    /// <summary>Offers the integration with Linear.</summary>
    public bool EnableLinear { get; set; }
}
