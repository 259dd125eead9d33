using MailKit.Net.Smtp;
using Microsoft.Extensions.Options;
using MimeKit;

namespace OpenHands.Api.Mail;

/// <summary>Hands mails to the SMTP server of <see cref="MailOptions"/>.</summary>
internal sealed class MailSender(IOptions<MailOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Whether there is a server to send by.</summary>
    public bool IsConfigured => options.Value.IsConfigured;

    /// <summary>Sends a text. Throws what MailKit throws, or <see cref="OperationCanceledException"/> when the server takes too long.</summary>
    public async Task SendAsync(string address, string subject, string text, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var (mail, server) = (Message(address, subject, text), options.Value);
        using var client = new SmtpClient();
        await client.ConnectAsync(server.Host, server.Port, server.SocketOptions, either.Token);
        if (server.UserName.Length > 0)
            await client.AuthenticateAsync(server.UserName, server.Password, either.Token);
        await client.SendAsync(mail, either.Token);
        await client.DisconnectAsync(quit: true, either.Token);
    }

    private MimeMessage Message(string address, string subject, string text)
    {
        var message = new MimeMessage { Subject = subject, Body = new TextPart("plain") { Text = text } };
        message.From.Add(MailboxAddress.Parse(options.Value.From));
        message.To.Add(new MailboxAddress("", address));
        return message;
    }
}

/// <summary>Adds the sending of mails.</summary>
internal static class MailExtensions
{
    /// <summary>Options checked on start, and the sender.</summary>
    public static void AddMail(this IServiceCollection services)
    {
        services.AddOptions<MailOptions>().BindConfiguration(MailOptions.Section).ValidateDataAnnotations()
            .Validate(mail => mail.HasSender, "Mail:From must be the sender of mails, such as OpenHands <openhands@example.org>.")
            .Validate(mail => mail.KeepsPassword, "Mail:Security None would send Mail:Password in the clear: use StartTls or Tls.")
            .ValidateOnStart();
        services.AddSingleton<MailSender>();
    }
}
