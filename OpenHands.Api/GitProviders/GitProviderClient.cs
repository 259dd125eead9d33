using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.GitProviders;

/// <summary>
/// Asks git providers whose a token is. Users name the hosts, so nothing is believed of them: guarded connections, no redirect, no
/// cookie, little time and little to read. Nothing of a request is logged but the provider and what came of it.
/// </summary>
internal sealed partial class GitProviderClient(GuardedConnection connection, IOptions<GitProviderOptions> options, ILogger<GitProviderClient> logger) : IDisposable
{
    private const int LargestAnswer = 256 * 1024;

    // Not from the factory: its clients retry, log headers and look names up among this system's own services.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false, // behind one the address that is connected to could not be seen
        ConnectCallback = connection.OpenAsync,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        ActivityHeadersPropagator = null, // which hosts a user names is in no trace, and no trace's id goes there
    })
    {
        Timeout = options.Value.Timeout,
        MaxResponseContentBufferSize = LargestAnswer,
    };

    /// <summary>Whether it asks at all.</summary>
    public bool IsEnabled => options.Value.Enabled;

    /// <summary>Asks <paramref name="provider"/> whose the token is. Whatever it does, this throws only when the caller has gone.</summary>
    public async Task<GitAnswer> AskAsync(GitProvider provider, string? host, string token, CancellationToken cancellationToken)
    {
        var (answer, reason) = await TryAsync(provider, host, token, cancellationToken);
        if (answer.Outcome is not (GitOutcome.Known or GitOutcome.Disabled))
            NotKnown(logger, provider.Name, answer.Outcome, reason);
        return answer;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<(GitAnswer Answer, string Reason)> TryAsync(GitProvider provider, string? host, string token, CancellationToken cancellationToken)
    {
        if (!IsEnabled)
            return (new(GitOutcome.Disabled), "");
        if (provider.Address(host) is not { } address)
            return (new(GitOutcome.HostNotAllowed), "no host");
        if (token.Any(letter => letter is <= ' ' or > '~'))
            return (new(GitOutcome.TokenRefused), "no token");

        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = provider.Authorization(token);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("OpenHands", null)); // GitHub answers none without
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            return (await ReadAsync(provider, response, cancellationToken), $"status {(int)response.StatusCode}");
        }
        catch (HttpRequestException failure)
        {
            return (new(failure.InnerException is HostNotAllowedException ? GitOutcome.HostNotAllowed : OutcomeOf(failure)), failure.HttpRequestError.ToString());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (new(GitOutcome.Unreachable), "timeout");
        }
    }

    private static GitOutcome OutcomeOf(HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.HttpProtocolError => GitOutcome.Strange,
        _ => GitOutcome.Unreachable,
    };

    // Azure DevOps shows who has no good token its login page: 203, or the way there.
    private static async Task<GitAnswer> ReadAsync(GitProvider provider, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden:
            case HttpStatusCode.NonAuthoritativeInformation or HttpStatusCode.Found when provider.Name == "azure_devops":
                return new(GitOutcome.TokenRefused);
            case HttpStatusCode.OK:
                break;
            default:
                return new(GitOutcome.Strange);
        }

        try
        {
            using var user = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
            return provider.Read(user.RootElement) is { } known ? new(GitOutcome.Known, known) : new(GitOutcome.Strange);
        }
        catch (JsonException)
        {
            return new(GitOutcome.Strange);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Provider} did not say whose a token is: {Outcome} ({Reason})")]
    private static partial void NotKnown(ILogger logger, string provider, GitOutcome outcome, string reason);
}
