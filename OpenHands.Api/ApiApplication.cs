using Microsoft.Extensions.Options;
using OpenHands.Api.ApiKeys;
using OpenHands.Api.Audit;
using OpenHands.Api.Auth;
using OpenHands.Api.Frontend;
using OpenHands.Api.GitProviders;
using OpenHands.Api.Http;
using OpenHands.Api.Invitations;
using OpenHands.Api.OpenApi;
using OpenHands.Api.Options;
using OpenHands.Api.Organizations;
using OpenHands.Api.Queues;
using OpenHands.Api.RateLimits;
using OpenHands.Api.Secrets;
using OpenHands.Api.Sessions;
using OpenHands.Api.Settings;
using OpenHands.Api.Users;
using OpenHands.Api.WebClient;
using OpenHands.Api.Webhooks;
using OpenHands.Storage;

namespace OpenHands.Api;

/// <summary>The API as one object, so that the process and the tests start the very same one.</summary>
internal static class ApiApplication
{
    /// <summary>Builds the API; <paramref name="args"/> are configuration (`--Section:Key value`). Invalid options throw here.</summary>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ApplicationName = typeof(ApiApplication).Assembly.GetName().Name,
        });
        builder.AddServiceDefaults();
        // A retry would answer a lost database late; the caller is told at once and asks again.
        builder.AddNpgsqlDbContext<OpenHandsDb>("openhands", settings => settings.DisableRetry = true, options => options.UseOpenHandsDb());
        builder.AddRedisClient("redis");
        builder.AddStorage();
        builder.Services.AddHostedService<WarmUp>();
        builder.AddHttpEdge();
        builder.AddIdentity();
        builder.AddRateLimits();
        builder.Services.AddFrontend();
        builder.Services.AddWebClient();
        builder.Services.AddOptionLists();
        builder.Services.AddInvitations();
        builder.Services.AddGitProviders();
        builder.Services.AddDescription();

        var app = builder.Build();
        // The host would do it on start, too, but only after it has begun and with a stack trace in the log.
        app.Services.GetRequiredService<IStartupValidator>().Validate();

        // The order matters: errors around everything, the guard before anything that acts, the login before files, limits as soon as it is known who calls.
        app.UseHttpEdge();
        app.UseRequestGuard();
        app.UseRouting();
        app.UseCors();
        app.UseRateLimits(LimitedRoutes.Authentication);
        app.UseAuthentication();
        app.UseRateLimits(LimitedRoutes.Ordinary);
        app.UseLoginGate();
        app.UseFrontend();
        app.UseAuthorization();

        app.MapDefaultEndpoints();
        app.MapDescription();
        app.MapWelcome();
        app.MapLogin();
        app.MapWebClient();
        app.MapOptions();
        app.MapSettings();
        app.MapOrganizationSettings();
        app.MapUsers();
        app.MapOrganizations();
        app.MapInvitations();
        app.MapSecrets();
        app.MapOwnedSecrets();
        app.MapGitProviders();
        app.MapGitUser();
        app.MapSessions();
        app.MapApiKeys();
        app.MapWebhooks();
        app.MapTasks();
        app.MapAudit();
        return app;
    }
}
