using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Frontend;

/// <summary>The API with a small built front end in a folder of its own.</summary>
public sealed class BuiltFrontend : IAsyncLifetime
{
    public const string Page = "<!doctype html><title>the page</title>";

    private readonly DirectoryInfo _outside = Directory.CreateTempSubdirectory("openhands-frontend-");

    internal ApiHost Host { get; private set; } = null!;

    internal HttpClient Client => Host.Client;

    public async ValueTask InitializeAsync()
    {
        Write("secret.txt", "outside");
        Write("dist/index.html", Page);
        Write("dist/favicon.ico", "icon");
        Write("dist/.env", "KEY=hidden");
        Write("dist/.git/config", "hidden");
        Write("dist/locales/en/translation.json", "{}");
        Write("dist/assets/app-1a2b.js", "let x;");
        Write("dist/assets/font-1a2b.unknowntype", "font");
        Write("dist/api/settings", "not the API");
        Host = await ApiHost.StartAsync([$"Frontend:Directory={Path.Combine(_outside.FullName, "dist")}"]);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _outside.Delete(recursive: true);
    }

    private void Write(string path, string text)
    {
        var file = new FileInfo(Path.Combine(_outside.FullName, path));
        file.Directory!.Create();
        File.WriteAllText(file.FullName, text);
    }
}
