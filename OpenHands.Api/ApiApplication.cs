using OpenHands.Api.Auth;
using OpenHands.Api.Frontend;
using OpenHands.Api.Http;
using OpenHands.Api.Options;
using OpenHands.Api.WebClient;

namespace OpenHands.Api;

/// <summary>The API as one object, so that the process and the tests start the very same one.</summary>
internal static class ApiApplication
{
    /// <summary>Builds the API; <paramref name="args"/> are configuration (`--Section:Key value`). Invalid options throw here or on start.</summary>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(ApiApplication).Assembly.GetName().Name,
        });
        builder.AddServiceDefaults();
        builder.AddHttpEdge();
        builder.AddIdentity();
        builder.Services.AddFrontend();
        builder.Services.AddWebClient();
        builder.Services.AddOptionLists();
        builder.Services.AddOpenApi();

        var app = builder.Build();
        // The order matters: errors around everything, the guard before anything that acts, files before authorization.
        app.UseHttpEdge();
        app.UseRequestGuard();
        app.UseRouting();
        app.UseCors();
        app.UseFrontend();
        app.UseAuthentication();
        app.UseAuthorization();

        app.MapDefaultEndpoints();
        app.MapOpenApi();
        app.MapWelcome();
        app.MapWebClient();
        app.MapOptions();
        return app;
    }
}
