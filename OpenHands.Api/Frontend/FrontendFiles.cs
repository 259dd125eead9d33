using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;

namespace OpenHands.Api.Frontend;

/// <summary>Serves a built front end from a folder: its files, and its page for every address the page itself resolves.</summary>
internal static class FrontendFiles
{
    /// <summary>The file that every page of the front end starts from.</summary>
    public const string Page = "index.html";

    /// <summary>Adds the options, checked on start.</summary>
    public static void AddFrontend(this IServiceCollection services)
    {
        services.AddOptions<FrontendOptions>().BindConfiguration(FrontendOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FrontendOptions>, FrontendOptionsCheck>();
    }

    /// <summary>
    /// Serves the front end where `Frontend:Directory` names one. Comes after routing, since a route is never a file,
    /// and before authorization, since the page is public.
    /// </summary>
    public static void UseFrontend(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<FrontendOptions>>().Value.FullPath is not { } directory)
            return;

        var files = new StaticFileOptions
        {
            FileProvider = new PhysicalFileProvider(directory),
            ServeUnknownFileTypes = true,
            DefaultContentType = "application/octet-stream",
            OnPrepareResponse = SetCaching,
        };
        app.UseWhen(
            context => context.GetEndpoint() is null && FrontendPaths.MayBeFrontend(context.Request.Path),
            frontend =>
            {
                frontend.UseStaticFiles(files);
                frontend.Use(AskForPage);
                frontend.UseStaticFiles(files);
            });
    }

    private static Task AskForPage(HttpContext context, RequestDelegate next)
    {
        if (FrontendPaths.WantsPage(context.Request))
            context.Request.Path = "/" + Page;

        return next(context);
    }

    private static void SetCaching(StaticFileResponseContext served)
    {
        var headers = served.Context.Response.Headers;
        if (served.Context.Request.Path.StartsWithSegments(FrontendPaths.Assets))
        {
            headers.CacheControl = "public, max-age=2592000, immutable";
            return;
        }

        headers.CacheControl = "no-cache, no-store, must-revalidate, max-age=0";
        headers.Pragma = "no-cache";
        headers.Expires = "0";
    }
}
