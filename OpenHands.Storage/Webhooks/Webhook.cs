using System.Text;

namespace OpenHands.Storage.Webhooks;

/// <summary>Where an organization wants to be told of events. Its secret is never shown after it was made.</summary>
/// <param name="Id">UUIDv7 as 32 hex digits.</param>
/// <param name="Url">Address that gets the events.</param>
/// <param name="EventTypes">The events it wants, such as <c>member.added</c>; empty for all.</param>
/// <param name="IsEnabled">False while nothing is sent.</param>
/// <param name="Version">Grows with every change.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it last changed.</param>
public sealed record Webhook(string Id, string Url, string[] EventTypes, bool IsEnabled, long Version, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>Longest address, in bytes.</summary>
    public const int LongestUrl = 2000;

    /// <summary>What is wrong with an address or a list of events; null for nothing.</summary>
    public static string? Problem(string? url, IReadOnlyCollection<string>? eventTypes)
    {
        if (url is null || Encoding.UTF8.GetByteCount(url) > LongestUrl || !Uri.TryCreate(url, UriKind.Absolute, out var address)
            || address.Scheme is not ("https" or "http") || address.UserInfo.Length > 0 || address.Fragment.Length > 0)
        {
            return $"url must be an absolute http or https address of at most {LongestUrl} bytes, without user, password and fragment.";
        }

        return eventTypes?.FirstOrDefault(type => !WebhookEvents.All.Contains(type)) is { } unknown
            ? $"event_types may hold {string.Join(", ", WebhookEvents.All)}; not '{(unknown.Length > 50 ? "…" : unknown.Replace('\0', '?'))}'."
            : null;
    }
}

/// <summary>A webhook with its secret, as it is shown once.</summary>
/// <param name="Webhook">The webhook.</param>
/// <param name="Secret">Signs what is sent, as Standard Webhooks says: <c>whsec_</c> and base64.</param>
public sealed record MadeWebhook(Webhook Webhook, string Secret);

/// <summary>An event that is or was sent to a webhook.</summary>
/// <param name="Id">Id of the delivery, also sent as <c>webhook-id</c>; the same in every attempt.</param>
/// <param name="WebhookId">The webhook.</param>
/// <param name="EventType">What happened.</param>
/// <param name="Status"><c>pending</c>, <c>delivered</c> or <c>failed</c>.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="ResponseStatus">Status code of the last answer; null for none.</param>
/// <param name="Error">Why the last attempt failed; null when it did not.</param>
/// <param name="CreatedAt">When the event happened.</param>
/// <param name="LastAttemptAt">When it was last tried; null for never.</param>
public sealed record WebhookDelivery(
    string Id, string WebhookId, string EventType, string Status, int Attempts, int? ResponseStatus, string? Error, DateTimeOffset CreatedAt, DateTimeOffset? LastAttemptAt);

/// <summary>What happens in an organization that it can be told of.</summary>
public static class WebhookEvents
{
    /// <summary>Asked for by hand, to try a webhook.</summary>
    public const string Ping = "ping";

    /// <summary>A user became a member.</summary>
    public const string MemberAdded = "member.added";

    /// <summary>A member got another role.</summary>
    public const string MemberChanged = "member.changed";

    /// <summary>A member left or was removed.</summary>
    public const string MemberRemoved = "member.removed";

    /// <summary>The organization was renamed.</summary>
    public const string OrganizationUpdated = "organization.updated";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Ping, MemberAdded, MemberChanged, MemberRemoved, OrganizationUpdated];
}
