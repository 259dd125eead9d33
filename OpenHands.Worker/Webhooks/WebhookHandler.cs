using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Webhooks;
using OpenHands.Worker.Queues;

namespace OpenHands.Worker.Webhooks;

/// <summary>Sends one event to one webhook; an answer other than 2xx, or none, is a failed attempt and comes again later.</summary>
internal sealed class WebhookHandler(WebhookLog log, WebhookSender sender, TimeProvider time) : ITaskHandler
{
    public async Task<TaskOutcome> HandleAsync(QueuedTask task, CancellationToken cancellationToken)
    {
        var (webhookId, eventType) = (task.Payload.GetProperty("webhook_id").GetString()!, task.Payload.GetProperty("event_type").GetString()!); // set by WebhookStore
        if (task.OrganizationId is not { } organization || await log.FindAsync(organization, webhookId, cancellationToken) is not var (url, secret))
            return new TaskOutcome.Cancel("The webhook is gone or not enabled.");

        WebhookAnswer answer;
        try
        {
            answer = await sender.SendAsync(url, Headers(task, secret, Body(task), out var body), body, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }

        var failed = answer.Error is not null;
        var isLast = task.Attempt >= WebhookTask.Attempts;
        await log.NoteAsync(task, webhookId, eventType, failed ? isLast ? "failed" : "pending" : "delivered", answer.Status, answer.Error, cancellationToken);
        return failed ? throw new WebhookRefusedException(answer.Error!) : new TaskOutcome.Done(new JsonObject { ["status"] = answer.Status });
    }

    private static byte[] Body(QueuedTask task) => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new JsonObject
    {
        ["type"] = task.Payload.GetProperty("event_type").GetString(),
        ["timestamp"] = task.Payload.GetProperty("timestamp").GetString(),
        ["organization_id"] = task.OrganizationId,
        ["data"] = JsonNode.Parse(task.Payload.GetProperty("data").GetRawText()),
    }));

    private Dictionary<string, string> Headers(QueuedTask task, byte[] secret, byte[] bytes, out byte[] body)
    {
        body = bytes;
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return new()
        {
            ["webhook-id"] = task.Id,
            ["webhook-timestamp"] = now.ToString(CultureInfo.InvariantCulture),
            ["webhook-signature"] = WebhookSignature.Sign(secret, task.Id, now, bytes),
        };
    }
}

/// <summary>The receiver did not take an event.</summary>
internal sealed class WebhookRefusedException(string message) : Exception(message);
