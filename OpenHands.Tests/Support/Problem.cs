using System.Net;
using System.Text.Json;

namespace OpenHands.Tests.Support;

/// <summary>The promise about errors: problem details, with the same text where the front end looks for it.</summary>
internal static class Problem
{
    /// <summary>Checks the answer's shape and gives back its text for a person.</summary>
    public static async Task<string> AssertAsync(HttpStatusCode expected, HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(expected == response.StatusCode, $"Expected {expected}, got {response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);

        var problem = JsonDocument.Parse(body).RootElement;
        var message = problem.GetProperty("message").GetString();
        Assert.False(string.IsNullOrWhiteSpace(message));
        Assert.Equal(message, problem.GetProperty("error").GetString());
        Assert.Equal(message, problem.GetProperty("detail").GetString());
        Assert.Equal((int)expected, problem.GetProperty("status").GetInt32());
        Assert.False(string.IsNullOrWhiteSpace(problem.GetProperty("title").GetString()));
        Assert.Matches("^[0-9a-f]{32}$", problem.GetProperty("traceId").GetString());
        return message!;
    }
}
