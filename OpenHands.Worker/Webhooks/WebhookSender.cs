using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace OpenHands.Worker.Webhooks;

/// <summary>
/// Posts to an address that a tenant chose, and so to no address of ours: what its name resolves to is checked when the connection is
/// made, so that a name that changes its mind gets nowhere; no redirect is followed and no proxy of ours is used.
/// </summary>
internal sealed class WebhookSender(IOptions<WebhookOptions> options) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ActivityHeadersPropagator = null, // our traces are nobody else's business
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        ConnectTimeout = TimeSpan.FromSeconds(5),
        MaxResponseHeadersLength = 16,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, options.Value.AllowPrivateNetworks, cancellationToken),
    })
    {
        Timeout = options.Value.Timeout,
    };

    /// <summary>Sends a body of JSON.</summary>
    public async Task<WebhookAnswer> SendAsync(Uri url, IReadOnlyDictionary<string, string> headers, byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.UserAgent.ParseAdd("OpenHands-Webhooks/1");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            // What the receiver says beyond its status is not read: it might not end.
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return new WebhookAnswer((int)answer.StatusCode, answer.IsSuccessStatusCode ? null : $"The receiver answered {(int)answer.StatusCode}.");
        }
        catch (HttpRequestException failure)
        {
            return new WebhookAnswer(null, failure.InnerException is ForbiddenAddressException ? failure.InnerException.Message : $"The receiver cannot be reached ({failure.HttpRequestError}).");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new WebhookAnswer(null, $"The receiver did not answer within {options.Value.Timeout.TotalSeconds:0} s.");
        }
    }

    /// <inheritdoc />
    public void Dispose() => _client.Dispose();

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool allowPrivate, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(target.Host, cancellationToken);
        var allowed = addresses.Where(address => allowPrivate || PublicAddress.Is(address)).ToArray();
        if (allowed.Length == 0)
            throw new ForbiddenAddressException();

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>What came of an attempt.</summary>
/// <param name="Status">Status code of the answer; null for none.</param>
/// <param name="Error">Why it counts as failed; null when it does not.</param>
internal sealed record WebhookAnswer(int? Status, string? Error);

/// <summary>A webhook leads into a network that is not the tenant's.</summary>
internal sealed class ForbiddenAddressException() : Exception("The address leads to this machine or into a private network (Webhooks:AllowPrivateNetworks).");
