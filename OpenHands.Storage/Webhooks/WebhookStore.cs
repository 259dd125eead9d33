using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Tenancy;

namespace OpenHands.Storage.Webhooks;

/// <summary>Keeps an organization's webhooks and the log of what was sent, for its admins. Works for the tenant of its scope.</summary>
public sealed class WebhookStore(OpenHandsDb db, TenantContext tenant, SecretCipher cipher, TaskQueue queue, TimeProvider time)
{
    /// <summary>Most webhooks of an organization.</summary>
    public const int Most = 50;

    private string OrganizationId => tenant.OrganizationId ?? throw new InvalidOperationException("No organization was entered.");

    /// <summary>All of them, oldest first.</summary>
    public async Task<IReadOnlyList<Webhook>> ListAsync(CancellationToken cancellationToken) => await db.Database.SqlQuery<Webhook>(
        $"SELECT id, url, event_types, is_enabled, version, created_at, updated_at FROM webhooks WHERE organization_id = {OrganizationId} ORDER BY id")
        .ToListAsync(cancellationToken);

    /// <summary>One; null when the organization has none of this id.</summary>
    public async Task<Webhook?> FindAsync(string id, CancellationToken cancellationToken) =>
        (await ListAsync(cancellationToken)).SingleOrDefault(webhook => webhook.Id == id);

    /// <summary>Makes one with a new secret.</summary>
    /// <returns>Null when the organization has as many as it may.</returns>
    public async Task<MadeWebhook?> AddAsync(string url, string[] eventTypes, CancellationToken cancellationToken)
    {
        await cipher.PrepareAsync(db, SecretOwner.Organization(OrganizationId), writes: true, cancellationToken);
        var (id, secret) = (EntityId.New(time), RandomNumberGenerator.GetBytes(32));
        var encrypted = cipher.Encrypt(Place(OrganizationId, id), secret);
        var text = WebhookSignature.SecretPrefix + Convert.ToBase64String(secret);
        CryptographicOperations.ZeroMemory(secret);
        var added = await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO webhooks (id, organization_id, url, event_types, secret_encrypted, key_id, is_enabled, version, created_at, updated_at)
            SELECT {id}, {OrganizationId}, {url}, {eventTypes}, {encrypted}, {cipher.CurrentKeyId}, true, 1, now(), now()
            WHERE (SELECT count(*) FROM webhooks WHERE organization_id = {OrganizationId}) < {Most}
            """, cancellationToken);
        return added == 1 && await FindAsync(id, cancellationToken) is { } webhook ? new MadeWebhook(webhook, text) : null;
    }

    /// <summary>Changes what is given; the secret stays.</summary>
    public async Task<Webhook?> ChangeAsync(string id, string? url, string[]? eventTypes, bool? isEnabled, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlAsync(
            $"""
            UPDATE webhooks SET url = coalesce({url}, url), event_types = coalesce({eventTypes}, event_types), is_enabled = coalesce({isEnabled}, is_enabled),
                version = version + 1, updated_at = now()
            WHERE id = {id} AND organization_id = {OrganizationId}
            """, cancellationToken);
        return await FindAsync(id, cancellationToken);
    }

    /// <summary>Removes one together with its log; what is still to be sent is not.</summary>
    public async Task<bool> RemoveAsync(string id, CancellationToken cancellationToken) => await db.Database.ExecuteSqlAsync(
        $"DELETE FROM webhooks WHERE id = {id} AND organization_id = {OrganizationId}", cancellationToken) == 1;

    /// <summary>What was sent to a webhook, newest first.</summary>
    public async Task<IReadOnlyList<WebhookDelivery>> DeliveriesAsync(string id, int most, CancellationToken cancellationToken) => await db.Database.SqlQuery<WebhookDelivery>(
        $"""
        SELECT id, webhook_id, event_type, status, attempts, response_status, error, created_at, last_attempt_at FROM webhook_deliveries
        WHERE webhook_id = {id} AND organization_id = {OrganizationId} ORDER BY id DESC LIMIT {most}
        """).ToListAsync(cancellationToken);

    /// <summary>Sends an event to try the webhook, whatever events it wants.</summary>
    /// <returns>Id of the task; null when there is no such webhook.</returns>
    public async Task<string?> PingAsync(string id, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken) is not { } webhook)
            return null;
        return (await SendAsync([webhook], WebhookEvents.Ping, new JsonObject(), cancellationToken))[0].Id;
    }

    /// <summary>Tells the webhooks that want this event, in the open transaction: what is rolled back is not told.</summary>
    public async Task PublishAsync(string eventType, JsonObject details, CancellationToken cancellationToken)
    {
        // As a member who may not see webhooks, one may still cause events: the function shows no more than which.
        var wanted = await db.Database.SqlQuery<string>($"SELECT webhook_id AS \"Value\" FROM webhooks_for({eventType})").ToListAsync(cancellationToken);
        if (wanted.Count > 0)
            await EnqueueAsync(wanted, eventType, details, cancellationToken);
    }

    internal static SecretPlace Place(string organizationId, string id) => new($"organization:{organizationId}", "webhooks", id, "secret", 1);

    private Task<IReadOnlyList<EnqueuedTask>> SendAsync(IReadOnlyList<Webhook> webhooks, string eventType, JsonObject details, CancellationToken cancellationToken) =>
        EnqueueAsync([.. webhooks.Select(webhook => webhook.Id)], eventType, details, cancellationToken);

    private Task<IReadOnlyList<EnqueuedTask>> EnqueueAsync(IReadOnlyList<string> webhooks, string eventType, JsonObject details, CancellationToken cancellationToken) => queue.EnqueueAsync(
        [
            .. webhooks.Select(webhook => new NewTask(WebhookTask.Queue, WebhookTask.Type, new JsonObject
            {
                ["webhook_id"] = webhook,
                ["event_type"] = eventType,
                ["timestamp"] = time.GetUtcNow().UtcDateTime.ToString("O"),
                ["data"] = details.DeepClone(),
            })
            {
                MaxAttempts = WebhookTask.Attempts,
                Retention = TimeSpan.FromHours(1), // the log keeps what matters
            }),
        ], cancellationToken);
}
