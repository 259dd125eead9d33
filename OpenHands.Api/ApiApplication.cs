using OpenHands.Api.Auth;
using OpenHands.Api.Http;

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
        builder.AddHttpEdge();
        builder.AddIdentity();

        var app = builder.Build();
        app.UseHttpEdge();
        app.UseRequestGuard();
        app.UseRouting();
        app.UseCors();
        app.UseAuthentication();
        app.UseAuthorization();
        return app;
    }
}
