using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenHands.Dashboard.Operators;

/// <summary>Asks a worker, as an operator, what its queues hold, and changes it.</summary>
/// <param name="door">Where one answers now; null when none does.</param>
internal sealed class OperatorClient(Func<OperatorDoor?> door) : IDisposable
{
    private const int LargestAnswer = 8 * 1024 * 1024;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    // The key goes to the worker and to nobody it might point at.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(10),
        MaxResponseContentBufferSize = LargestAnswer,
    };

    /// <summary>True while there is somebody to ask.</summary>
    public bool IsAvailable => door() is not null;

    /// <summary>How every queue is doing that has a task.</summary>
    public Task<OperatorAnswer<List<QueueState>>> QueuesAsync(CancellationToken cancellationToken) => GetAsync<List<QueueState>>("queues", cancellationToken);

    /// <summary>Tasks, newest first.</summary>
    /// <param name="queue">Of this queue; empty for all.</param>
    /// <param name="status">In this state; empty for all.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public Task<OperatorAnswer<List<TaskRow>>> TasksAsync(string? queue, string? status, int most, CancellationToken cancellationToken) =>
        GetAsync<List<TaskRow>>($"tasks?limit={most}{Part("queue", queue)}{Part("status", status)}", cancellationToken);

    /// <summary>Pushed values that are no tasks, newest first.</summary>
    /// <param name="queue">Of this queue; empty for all.</param>
    /// <param name="most">How many at most.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public Task<OperatorAnswer<List<RefusedRow>>> RefusedAsync(string? queue, int most, CancellationToken cancellationToken) =>
        GetAsync<List<RefusedRow>>($"refused?limit={most}{Part("queue", queue)}", cancellationToken);

    /// <summary>Everything about a task or a value that is none.</summary>
    public Task<OperatorAnswer<JsonObject>> ShowAsync(string id, bool isTask, CancellationToken cancellationToken) =>
        GetAsync<JsonObject>($"{Kind(isTask)}/{Uri.EscapeDataString(id)}", cancellationToken);

    /// <summary>Calls a task off; null, or why it was not.</summary>
    public Task<string?> CancelAsync(string id, CancellationToken cancellationToken) => PostAsync($"tasks/{Uri.EscapeDataString(id)}/cancel", cancellationToken);

    /// <summary>Lets a dead letter or a cancelled task run again; null, or why it does not.</summary>
    public Task<string?> ReplayAsync(string id, bool isTask, CancellationToken cancellationToken) =>
        PostAsync($"{Kind(isTask)}/{Uri.EscapeDataString(id)}/replay", cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static string Kind(bool isTask) => isTask ? "tasks" : "refused";

    private static string Part(string name, string? value) => string.IsNullOrEmpty(value) ? "" : $"&{name}={Uri.EscapeDataString(value)}";

    private Task<OperatorAnswer<T>> GetAsync<T>(string path, CancellationToken cancellationToken)
        where T : class => SendAsync(HttpMethod.Get, path, content => content.ReadFromJsonAsync<T>(Json, cancellationToken), cancellationToken);

    private async Task<string?> PostAsync(string path, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Post, path, _ => Task.FromResult<string?>(path), cancellationToken)).Failure;

    private async Task<OperatorAnswer<T>> SendAsync<T>(HttpMethod method, string path, Func<HttpContent, Task<T?>> readAsync, CancellationToken cancellationToken)
        where T : class
    {
        if (door() is not { } open)
        {
            return new OperatorAnswer<T>(null, "No worker that runs answers operators.");
        }

        try
        {
            using var request = new HttpRequestMessage(method, new Uri(open.Address, "/api/v1/" + path));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", open.Key);
            using var answer = await _http.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode
                ? new OperatorAnswer<T>(await readAsync(answer.Content), null)
                : new OperatorAnswer<T>(null, await ReasonAsync(answer, cancellationToken));
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new OperatorAnswer<T>(null, "The worker did not answer; it is asked again.");
        }
    }

    /// <summary>What the problem document says, or else the status.</summary>
    private static async Task<string> ReasonAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        try
        {
            return (string?)(await answer.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))?["detail"] ?? $"The worker refused it ({(int)answer.StatusCode}).";
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return $"The worker refused it ({(int)answer.StatusCode}).";
        }
    }
}
