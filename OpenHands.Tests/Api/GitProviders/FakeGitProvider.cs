using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OpenHands.Tests.Api.GitProviders;

/// <summary>A git provider in this process: it answers as it is told, and keeps what it was asked.</summary>
internal sealed class FakeGitProvider : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeGitProvider(WebApplication app) => _app = app;

    /// <summary>Its address with the scheme, as a user would type it.</summary>
    public string Host => _app.Urls.Single();

    /// <summary>What it does with a request.</summary>
    public Func<HttpContext, Task> AnswerAsync { get; set; } = context => context.Response.WriteAsync("{}");

    /// <summary>Path, `Authorization`, `User-Agent` and the names of all headers of every request.</summary>
    public ConcurrentQueue<(string Path, string Authorization, string UserAgent, string Headers)> Asked { get; } = new();

    public static async Task<FakeGitProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var provider = new FakeGitProvider(builder.Build());
        provider._app.Run(provider.ReceiveAsync);
        await provider._app.StartAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task ReceiveAsync(HttpContext context)
    {
        Asked.Enqueue(($"{context.Request.Path}{context.Request.QueryString}", $"{context.Request.Headers.Authorization}", $"{context.Request.Headers.UserAgent}",
            string.Join(' ', context.Request.Headers.Keys)));
        return AnswerAsync(context);
    }
}
