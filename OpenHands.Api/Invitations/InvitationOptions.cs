using System.ComponentModel.DataAnnotations;

namespace OpenHands.Api.Invitations;

/// <summary>How long invitations are good, and to which address they lead.</summary>
internal sealed class InvitationOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Invitations";

    /// <summary>Longest life of an invitation, in days.</summary>
    public const int MostDays = 90;

    /// <summary>Address under which browsers reach this server, such as `https://openhands.example.org`; empty to take that of the admin's request.</summary>
    public string Address { get; set; } = "";

    /// <summary>How long an invitation is good unless its admin says otherwise: an hour to 90 days.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "90.00:00:00", ErrorMessage = "Invitations:Lifetime must be an hour to 90 days, such as 7.00:00:00.")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(7);

    internal bool IsAddressValid =>
        Address.Length == 0 || (Uri.TryCreate(Address, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", Query: "", Fragment: "" });

    /// <summary>The link for a token. Behind '#', which browsers keep to themselves: neither a server nor a proxy ever logs it.</summary>
    internal string Link(HttpRequest request, string token) =>
        $"{(Address.Length > 0 ? Address.TrimEnd('/') : $"{request.Scheme}://{request.Host}")}{InvitationPage.Path}#{token}";
}
