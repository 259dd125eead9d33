using System.ComponentModel.DataAnnotations;
using System.Net;
using MailKit.Security;
using MimeKit;

namespace OpenHands.Api.Mail;

/// <summary>The server that takes our mails. Without one none is sent.</summary>
internal sealed class MailOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Mail";

    /// <summary>Host of the SMTP server; empty to send no mails.</summary>
    public string Host { get; set; } = "";

    /// <summary>Its port.</summary>
    [Range(1, 65535, ErrorMessage = "Mail:Port must be 1 to 65535.")]
    public int Port { get; set; } = 587;

    /// <summary>`StartTls` (port 587), `Tls` from the first byte (port 465), or `None`.</summary>
    public MailSecurity Security { get; set; } = MailSecurity.StartTls;

    /// <summary>Name to log in with; empty for no login.</summary>
    public string UserName { get; set; } = "";

    /// <summary>Password to log in with.</summary>
    public string Password { get; set; } = "";

    /// <summary>Sender, such as `OpenHands &lt;openhands@example.org&gt;`.</summary>
    public string From { get; set; } = "";

    internal bool IsConfigured => Host.Length > 0;

    internal bool HasSender => !IsConfigured || MailboxAddress.TryParse(From, out _);

    // Without TLS the password would be anybody's on the way.
    internal bool KeepsPassword => Security != MailSecurity.None || UserName.Length == 0 || IsThisMachine;

    internal SecureSocketOptions SocketOptions => Security switch
    {
        MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        MailSecurity.StartTls => SecureSocketOptions.StartTls,
        _ => SecureSocketOptions.None,
    };

    private bool IsThisMachine =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));
}

/// <summary>How the way to the mail server is protected.</summary>
internal enum MailSecurity
{
    /// <summary>TLS after STARTTLS, which must succeed.</summary>
    StartTls,

    /// <summary>TLS from the first byte.</summary>
    Tls,

    /// <summary>Not at all.</summary>
    None,
}
