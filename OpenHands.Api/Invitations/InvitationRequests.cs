using System.Text.Json.Serialization;
using MimeKit;
using OpenHands.Storage.Invitations;
using OpenHands.Storage.Organizations;

namespace OpenHands.Api.Invitations;

/// <summary>Who is invited.</summary>
/// <param name="Role">What the new member becomes: `admin` or `member`.</param>
/// <param name="Email">The only verified address that may accept, to which a mail is sent where a mail server is configured; null for anybody who has the link.</param>
/// <param name="ExpiresAt">From when it is refused, at most 90 days from now; null for the platform's default.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record InvitationRequest([property: JsonRequired] string? Role, string? Email = null, DateTimeOffset? ExpiresAt = null)
{
    private const int LongestAddress = 254; // RFC 5321, 4.5.3.1.3

    internal string? Address => Email?.Trim().ToLowerInvariant();

    internal string? Problem(DateTimeOffset now)
    {
        if (!OrganizationRole.IsOne(Role))
            return $"role must be {OrganizationRole.Admin} or {OrganizationRole.Member}.";
        if (Address is { } address && !IsAddress(address))
            return "email must be an address such as alice@example.org, or null.";
        return ExpiresAt is { } at && (at <= now || at > now.AddDays(InvitationOptions.MostDays))
            ? $"expires_at must be within the next {InvitationOptions.MostDays} days."
            : null;
    }

    // An address and nothing else: no name, no list.
    private static bool IsAddress(string text) =>
        text.Length <= LongestAddress && text.All(letter => letter is > ' ' and <= '~') && text.Contains('@')
        && MailboxAddress.TryParse(text, out var parsed) && parsed.Address == text;
}

/// <summary>What an invitation is accepted with.</summary>
/// <param name="Token">What stands behind '#' in the link.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record InvitationTokenRequest([property: JsonRequired] string? Token)
{
    /// <inheritdoc />
    public override string ToString() => nameof(InvitationTokenRequest); // that of a record would show the token
}

/// <summary>An invitation that was made.</summary>
/// <param name="Id">Id of the invitation.</param>
/// <param name="Email">The only verified address that may accept; null for anybody who has the link.</param>
/// <param name="Role">What the new member becomes.</param>
/// <param name="Mail">`queued` when a mail is on its way (the list tells what became of it), `none` when the link is to be handed on.</param>
/// <param name="CreatedAt">When it was made, UTC.</param>
/// <param name="ExpiresAt">From when it is refused, UTC.</param>
/// <param name="Link">Hand it on; shown this once. Null when it is mailed, and in an answer that is given again (Idempotency-Key).</param>
public sealed record NewInvitation(string Id, string? Email, string Role, string Mail, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, string? Link)
{
    internal static NewInvitation From(InvitationSummary made, string? link) =>
        new(made.Id, made.Email, made.Role, made.Mail, made.CreatedAt, made.ExpiresAt, link);

    /// <inheritdoc />
    public override string ToString() => $"{nameof(NewInvitation)} {Id}"; // that of a record would show the link
}
