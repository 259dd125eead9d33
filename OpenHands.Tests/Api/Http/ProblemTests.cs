using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Http;

public sealed class ProblemTests(LocalApi api) : IClassFixture<LocalApi>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(409)]
    [InlineData(413)]
    [InlineData(415)]
    [InlineData(418)]
    [InlineData(422)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_error_without_a_body_gets_one(int status)
    {
        using var response = await api.Client.GetAsync($"/api/test/status/{status}", Stop);
        await Problem.AssertAsync((HttpStatusCode)status, response);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/png")]
    [InlineData("application/xml;q=0.9")]
    public async Task An_error_is_a_problem_whatever_the_caller_accepts(string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/nothing") { Headers = { { "Accept", accept } } };
        using var response = await api.Client.SendAsync(request, Stop);
        await Problem.AssertAsync(HttpStatusCode.NotFound, response);
    }

    [Fact]
    public async Task A_wrong_method_is_405_and_names_the_right_one()
    {
        using var response = await api.Client.PostAsync("/api/options/agents", content: null, Stop);
        await Problem.AssertAsync(HttpStatusCode.MethodNotAllowed, response);
        Assert.Contains("GET", response.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_refused_authorization_is_403()
    {
        using var response = await api.Client.GetAsync("/api/test/forbidden", Stop);
        await Problem.AssertAsync(HttpStatusCode.Forbidden, response);
    }

    [Theory]
    [InlineData("/api/test/query")]
    [InlineData("/api/test/query?number=")]
    [InlineData("/api/test/query?number=sk-what-nobody-may-see")]
    public async Task A_parameter_that_cannot_be_read_is_400_without_its_value(string path)
    {
        using var response = await api.Client.GetAsync(path, Stop);
        Assert.DoesNotContain(LocalApi.Secret, await Problem.AssertAsync(HttpStatusCode.BadRequest, response));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("""{"number":"sk-what-nobody-may-see"}""")]
    [InlineData("""{"number":1,"number":2}""")]
    [InlineData("""{"number":99999999999999999999}""")]
    public async Task A_body_that_cannot_be_read_is_400_without_its_text(string body)
    {
        using var response = await api.Client.PostAsync("/api/test/body", Json(body), Stop);
        Assert.DoesNotContain(LocalApi.Secret, await Problem.AssertAsync(HttpStatusCode.BadRequest, response));
    }

    [Fact]
    public async Task Broken_json_is_400_with_the_place_where_it_breaks()
    {
        using var response = await api.Client.PostAsync("/api/test/body", Json("{\n\"number\":x}"), Stop);
        Assert.Contains("line 2, byte 10", await Problem.AssertAsync(HttpStatusCode.BadRequest, response));
    }

    [Fact]
    public async Task A_body_that_is_not_json_is_415()
    {
        using var response = await api.Client.PostAsync("/api/test/body", new StringContent("number=1"), Stop);
        await Problem.AssertAsync(HttpStatusCode.UnsupportedMediaType, response);
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("nonsense")]
    public async Task Json_in_another_encoding_is_415(string charset)
    {
        using var content = new StringContent("""{"number":1}""");
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", $"application/json; charset={charset}");
        using var response = await api.Client.PostAsync("/api/test/body", content, Stop);
        await Problem.AssertAsync(HttpStatusCode.UnsupportedMediaType, response);
    }

    [Fact]
    public async Task A_header_that_is_no_text_is_no_reason_for_an_error()
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(api.Client.BaseAddress!, "/api/options/agents"));
        request.Headers.TryAddWithoutValidation("If-Match", "\"\u00e9\"");
        using var response = await client.SendAsync(request, Stop);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_body_above_two_mebibytes_is_413_and_one_of_that_size_is_not()
    {
        const int limit = 2 * 1024 * 1024;
        const string number = """{"number":1}""";
        using var fits = await api.Client.PostAsync("/api/test/body", Json(number.PadRight(limit)), Stop);
        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);

        // Asks before it sends: the refusal closes the connection, which could break a body on its way.
        using var large = new HttpRequestMessage(HttpMethod.Post, "/api/test/body") { Content = Json(number.PadRight(limit + 1)) };
        large.Headers.ExpectContinue = true;
        using var exceeds = await api.Client.SendAsync(large, Stop);
        await Problem.AssertAsync(HttpStatusCode.RequestEntityTooLarge, exceeds);
    }

    [Fact]
    public async Task An_exception_is_500_that_says_nothing_of_it_and_its_reason_is_in_the_log()
    {
        using var response = await api.Client.GetAsync("/api/test/failure", Stop);

        await Problem.AssertAsync(HttpStatusCode.InternalServerError, response);
        var body = await response.Content.ReadAsStringAsync(Stop);
        Assert.DoesNotContain(LocalApi.Secret, body);
        Assert.DoesNotContain("Exception", body);
        Assert.Contains(api.Host.Log.Entries, entry => entry.Level == LogLevel.Error && entry.Text.Contains("InvalidOperationException"));
    }

    [Fact]
    public async Task A_caller_who_goes_away_leaves_no_error_in_the_log()
    {
        var arrived = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var host = await ApiHost.StartAsync([], app => app.MapGet("/api/test/wait", async (HttpContext context) =>
        {
            context.Response.OnCompleted(() =>
            {
                ended.SetResult();
                return Task.CompletedTask;
            });
            arrived.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        }));

        using var gone = new CancellationTokenSource();
        var call = host.Client.GetAsync("/api/test/wait", gone.Token);
        await arrived.Task.WaitAsync(Stop);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await ended.Task.WaitAsync(Stop);

        Assert.DoesNotContain(host.Log.Entries, entry => entry.Level >= LogLevel.Error);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
