namespace OpenHands.Storage.Webhooks;

/// <summary>The task that sends an event to a webhook, as producer and handler agree on it.</summary>
public static class WebhookTask
{
    /// <summary>Its queue.</summary>
    public const string Queue = "webhooks";

    /// <summary>Its type.</summary>
    public const string Type = "webhooks.deliver";

    /// <summary>Attempts until it is given up; with the delays of the queue about a quarter of an hour.</summary>
    public const int Attempts = 10;
}
