namespace OpenHands.Storage.Invitations;

/// <summary>How the mail of an invitation stands.</summary>
public static class InvitationMail
{
    /// <summary>None is sent: whoever made it hands on the link.</summary>
    public const string None = "none";

    /// <summary>It is to be sent; if it still stands so after minutes, the process ended before it could.</summary>
    public const string Queued = "queued";

    /// <summary>The mail server has taken it.</summary>
    public const string Sent = "sent";

    /// <summary>The mail server refused it, or could not be reached.</summary>
    public const string Failed = "failed";
}
