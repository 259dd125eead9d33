using System.Threading.Channels;
using OpenHands.Api.Mail;
using OpenHands.Storage.Invitations;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Api.Invitations;

/// <summary>
/// Sends the mails of invitations once those are committed, beside the requests: no request waits for a mail server or fails with
/// it. A token is kept nowhere, so a mail that was not sent when the process ended is not sent later; the invitation then stays
/// <c>queued</c>, and an admin invites anew.
/// </summary>
internal sealed partial class InvitationMails(MailSender sender, IServiceScopeFactory scopes, TimeProvider time, ILogger<InvitationMails> logger) : BackgroundService
{
    private const int MostWaiting = 1000;

    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10)];

    private readonly Channel<InvitationMailDraft> _drafts = Channel.CreateBounded<InvitationMailDraft>(MostWaiting);

    /// <summary>Whether mails can be sent at all.</summary>
    public bool IsConfigured => sender.IsConfigured;

    /// <summary>Has the mail sent soon. Where too many wait already, the invitation's mail counts as failed.</summary>
    public Task SendSoonAsync(InvitationMailDraft draft) =>
        _drafts.Writer.TryWrite(draft) ? Task.CompletedTask : NoteAsync(draft, InvitationMail.Failed, CancellationToken.None);

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _drafts.Writer.TryComplete();
        if (ExecuteTask is { } sending)
            await Task.WhenAny(sending, Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var draft in _drafts.Reader.ReadAllAsync(stoppingToken))
        {
            var state = await TrySendAsync(draft, stoppingToken) ? InvitationMail.Sent : InvitationMail.Failed;
            await NoteAsync(draft, state, stoppingToken);
        }
    }

    private async Task<bool> TrySendAsync(InvitationMailDraft draft, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await sender.SendAsync(draft.Address, $"Join {await OrganizationNameAsync(draft, cancellationToken)} on OpenHands", draft.Text, cancellationToken);
                return true;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                // Its text may quote the address.
                NotSent(draft.InvitationId, attempt + 1, Pauses.Length + 1, failure.GetType().Name);
                if (attempt == Pauses.Length)
                    return false;
            }

            await Task.Delay(Pauses[attempt], time, cancellationToken);
        }
    }

    private async Task<string> OrganizationNameAsync(InvitationMailDraft draft, CancellationToken cancellationToken)
    {
        await using var scope = Enter(draft);
        return (await scope.ServiceProvider.GetRequiredService<OrganizationStore>().FindAsync(cancellationToken))?.Name ?? "an organization";
    }

    private async Task NoteAsync(InvitationMailDraft draft, string state, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = Enter(draft);
            await scope.ServiceProvider.GetRequiredService<InvitationStore>().NoteMailAsync(draft.InvitationId, state, cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            NotNoted(draft.InvitationId, state, failure.GetBaseException().GetType().Name);
        }
    }

    private AsyncServiceScope Enter(InvitationMailDraft draft)
    {
        var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<TenantContext>().Enter(draft.UserId, draft.OrganizationId);
        return scope;
    }

    [LoggerMessage(LogLevel.Warning, "The mail of invitation {Invitation} was not sent, attempt {Attempt} of {Attempts}: {Reason}")]
    private partial void NotSent(string invitation, int attempt, int attempts, string reason);

    [LoggerMessage(LogLevel.Warning, "That the mail of invitation {Invitation} is {State} could not be noted: {Reason}")]
    private partial void NotNoted(string invitation, string state, string reason);
}

/// <summary>A mail to be sent.</summary>
internal sealed record InvitationMailDraft(string UserId, string OrganizationId, string InvitationId, string Address, string Link, DateTimeOffset ExpiresAt)
{
    /// <summary>The mail's text.</summary>
    public string Text =>
        $"""
        You are invited to join an organization on OpenHands.

        Open this link to see which, and to join it:
        {Link}

        It is good once, for {Address}, until {ExpiresAt:yyyy-MM-dd HH:mm} UTC. If you do not know what this is about, ignore it.

        """;

    /// <inheritdoc/>
    public override string ToString() => $"{nameof(InvitationMailDraft)} {InvitationId}"; // that of a record would show the link
}
