using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using OpenHands.Api.Auth;

namespace OpenHands.Api.Invitations;

/// <summary>
/// The page behind an invitation's link. It is the same for everybody and knows nothing: a script on it takes the token from
/// behind '#', which never reaches a server in an address, keeps it for this tab over the login, and joins when asked to.
/// </summary>
internal static class InvitationPage
{
    /// <summary>Where it is.</summary>
    public const string Path = "/invitations";

    private const string Html =
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">
        <title>Invitation – OpenHands</title>
        <style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}button{font:inherit;padding:.4rem 1rem;margin-right:.5rem}</style>
        </head>
        <body>
        <h1>Invitation</h1>
        <p id="text" role="status">This page needs JavaScript.</p>
        <p id="choices" hidden><button id="join">Join</button><button id="work">Join and work there from now on</button></p>
        <p id="login" hidden><a href="/auth/login?return_to=%2Finvitations">Log in to go on</a></p>
        <p id="home" hidden><a href="/">Go to OpenHands</a></p>
        <script>
        const kept = 'openhands-invitation';
        const element = id => document.getElementById(id);
        const show = (text, ...ids) => {
          element('text').textContent = text;
          for (const id of ['choices', 'login', 'home']) element(id).hidden = !ids.includes(id);
        };
        const post = (path, body) => fetch(path, {
          method: 'POST', headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
        });
        if (location.hash.length > 1) {
          sessionStorage.setItem(kept, location.hash.slice(1));
          history.replaceState(null, '', location.pathname);
        }
        const token = sessionStorage.getItem(kept);
        const use = async action => {
          const answer = await post('/api/v1/invitations/' + action, { token });
          if (answer.status === 401) { show('You are invited to an organization.', 'login'); return null; }
          const body = await answer.json();
          if (answer.ok) return body;
          if (answer.status < 500) sessionStorage.removeItem(kept);
          show(body.message ?? 'Something went wrong. Please try again.', 'home');
          return null;
        };
        const look = async () => {
          if (!token) { show('Open the link of your invitation once more: its last part is missing.', 'home'); return; }
          const offer = await use('look');
          if (offer) show(`You are invited to ${offer.organization_name} as ${offer.role}.`, 'choices');
        };
        const join = async works => {
          show('One moment…');
          const joined = await use('accept');
          if (!joined) return;
          sessionStorage.removeItem(kept);
          if (works) await post(`/api/v1/organizations/${joined.organization_id}/switch`);
          show(`You have joined ${joined.organization_name}.`, 'home');
        };
        const failed = () => show('The server cannot be reached. Please reload this page.');
        element('join').onclick = () => join(false).catch(failed);
        element('work').onclick = () => join(true).catch(failed);
        show('One moment…');
        look().catch(failed);
        </script>
        </body>
        </html>

        """;

    /// <summary>Maps it. It shows nothing of anybody, so it is open: who has to log in is told so by the script.</summary>
    public static void MapInvitationPage(this IEndpointRouteBuilder routes) =>
        routes.MapGet(Path, Show).ForAnyone().ExcludeFromDescription();

    internal static ContentHttpResult Show(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        return TypedResults.Content(Html, "text/html", Encoding.UTF8);
    }
}
