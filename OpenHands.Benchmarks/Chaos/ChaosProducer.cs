using System.Globalization;
using System.Net;
using System.Net.Http.Json;

namespace OpenHands.Benchmarks.Chaos;

/// <summary>Asks the API for one task after another, several at a time, again and again under the same key until it is acknowledged.</summary>
internal sealed class ChaosProducer : IAsyncDisposable
{
    private const int Callers = 3;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };
    private readonly CancellationTokenSource _stop = new();
    private readonly string _prefix = Guid.CreateVersion7().ToString("N");
    private readonly Func<Task<Uri>> _api;
    private readonly Action<string> _acknowledged;
    private readonly Task _calls;

    /// <summary>Begins.</summary>
    /// <param name="api">Address of the API that is there now.</param>
    /// <param name="acknowledged">Gets the key of every task that is acknowledged.</param>
    public ChaosProducer(Func<Task<Uri>> api, Action<string> acknowledged)
    {
        (_api, _acknowledged) = (api, acknowledged);
        _calls = Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller))));
    }

    /// <summary>The first answer that was neither an acknowledgement nor 503: whatever is killed, the API says no more than that it cannot now.</summary>
    public string? WrongAnswer { get; private set; }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _calls.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task CallAsync(int caller)
    {
        for (var i = caller; ; i += Callers)
        {
            var order = new EffectOrder(string.Create(CultureInfo.InvariantCulture, $"{_prefix}-{i}"), 20 + (i % 7 * 20), i % 2 == 0);
            while (!await IsAcknowledgedAsync(order))
                await Task.Delay(Pause, TimeProvider.System, _stop.Token);
            _acknowledged(order.Key);
            await Task.Delay(Pause, TimeProvider.System, _stop.Token);
        }
    }

    // The answer may be lost with the API: under the same idempotency key, trying again makes no second task.
    private async Task<bool> IsAcknowledgedAsync(EffectOrder order)
    {
        try
        {
            var api = await _api().WaitAsync(_stop.Token);
            using var answer = await _client.PostAsJsonAsync(new Uri(api, ChaosApi.Route), order, _stop.Token);
            if (!answer.IsSuccessStatusCode && answer.StatusCode != HttpStatusCode.ServiceUnavailable)
                WrongAnswer ??= $"The API answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(_stop.Token)}";
            return answer.IsSuccessStatusCode;
        }
        catch (Exception away) when (away is HttpRequestException or TaskCanceledException && !_stop.IsCancellationRequested)
        {
            return false;
        }
    }
}
