using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Storage.Webhooks;

/// <summary>Signs what is sent, after Standard Webhooks: HMAC-SHA256 over id, time and body.</summary>
/// <remarks>https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md</remarks>
public static class WebhookSignature
{
    /// <summary>What a secret begins with, before its base64.</summary>
    public const string SecretPrefix = "whsec_";

    /// <summary>The value of the header <c>webhook-signature</c>.</summary>
    /// <param name="secret">The webhook's secret.</param>
    /// <param name="id">The header <c>webhook-id</c>.</param>
    /// <param name="timestamp">The header <c>webhook-timestamp</c>, seconds since 1970.</param>
    /// <param name="body">The body, byte for byte.</param>
    public static string Sign(byte[] secret, string id, long timestamp, byte[] body)
    {
        byte[] signed = [.. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")), .. body];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed));
    }
}
