using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using OpenHands.Tests.Api.Authorization;

namespace OpenHands.Tests.Api.Fuzz;

/// <summary>
/// Requests made from the OpenAPI document, so that new operations are among them by themselves. TEST_SCALE=1 sends twenty thousand,
/// TEST_SEED sends those of another run.
/// </summary>
public sealed class FuzzTests(AuthorizedApi api) : IClassFixture<AuthorizedApi>
{
    private static readonly int Seed = int.Parse(Environment.GetEnvironmentVariable("TEST_SEED") ?? "20261126", CultureInfo.InvariantCulture);
    private static readonly int Requests = Environment.GetEnvironmentVariable("TEST_SCALE") == "1" ? 20_000 : 1000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_request_however_odd_is_answered_with_a_server_error_or_an_error_that_is_no_problem_document()
    {
        var requests = new FuzzedRequest(api.Description, api.Samples, Seed);
        var statuses = new ConcurrentDictionary<int, int>();
        var failures = new ConcurrentQueue<string>();
        const int batch = 250; // some delete what others name
        for (var first = 0; first < Requests; first += batch)
        {
            var owner = await api.CreateOwnerAsync();
            await Parallel.ForAsync(first, Math.Min(first + batch, Requests), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Token }, async (number, _) =>
            {
                if (await TryAsync(number, owner) is { } complaint)
                    failures.Enqueue($"Request {number} of TEST_SEED={Seed}: {complaint}\n{requests.Make(number, owner.Value).Text}");
            });
        }

        Assert.True(failures.IsEmpty, $"{failures.Count} of {Requests}:\n{string.Join("\n\n", failures.Take(10))}");
        // Odd, and yet not all refused at the door: both good and bad ones get as far as the handlers.
        Assert.All(new[] { 200, 400, 404, 422 }, status => Assert.True(statuses.GetValueOrDefault(status) >= Requests / 50, string.Join(' ', statuses.OrderBy(pair => pair.Key))));

        // A refusal may close the connection while the body is still on its way; the same request then comes again.
        async Task<string?> TryAsync(int number, Owner owner)
        {
            for (var attempt = 1; ; attempt++)
            {
                using var request = requests.Make(number, owner.Value).Request;
                request.Headers.Authorization = owner.Token;
                try
                {
                    using var answer = await api.Client.SendAsync(request, Token);
                    statuses.AddOrUpdate((int)answer.StatusCode, 1, (_, count) => count + 1);
                    return await ComplaintAsync(answer, request);
                }
                catch (HttpRequestException broken) when (broken.InnerException is IOException)
                {
                    if (attempt == 5)
                        return broken.ToString();
                }
            }
        }
    }

    private static async Task<string?> ComplaintAsync(HttpResponseMessage answer, HttpRequestMessage request)
    {
        var (status, body) = ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Token));
        if (status >= 500)
            return $"{status} {body}";
        if (status < 400 || request.Method == HttpMethod.Head)
            return null;
        // Kestrel itself refuses such an address, before any of us is asked.
        if (status == 400 && body.Length == 0 && request.RequestUri!.OriginalString.Split('?')[0].Contains("%00", StringComparison.Ordinal))
            return null;
        try
        {
            var problem = JsonDocument.Parse(body).RootElement;
            var isProblem = answer.Content.Headers.ContentType?.MediaType == "application/problem+json"
                && problem.GetProperty("status").GetInt32() == status
                && problem.GetProperty("title").GetString() is { Length: > 0 }
                && problem.GetProperty("message").GetString() is { Length: > 0 };
            return isProblem ? null : $"{status} without a problem document: {body}";
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"{status} {answer.Content.Headers.ContentType} without a problem document: {body}";
        }
    }
}
