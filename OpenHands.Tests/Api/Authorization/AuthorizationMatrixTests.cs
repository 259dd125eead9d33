using System.Net.Http.Headers;
using OpenHands.Api.Auth;
using OpenHands.Storage.ApiKeys;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Api.Authorization;

/// <summary>
/// Every route there is, tried as everybody who may not call it. A route that is added is tried by itself: it fails here until it
/// says who may call it, and until <see cref="Owner"/> has a row for what its address names.
/// </summary>
public sealed class AuthorizationMatrixTests(AuthorizedApi api) : IClassFixture<AuthorizedApi>
{
    [Fact]
    public void Every_route_says_who_may_call_it()
    {
        var undecided = api.Routes.Where(route => route.Audience is null).ToList();
        Assert.True(undecided.Count == 0, $"Decide who may call these, with ForAnyone, ForUsers, ForAdmins or ActAsTenant: {string.Join(", ", undecided)}");
        Assert.All(api.Routes, route => Assert.True(
            route.AllowsAnonymous == (route.Callers == Callers.Anyone), $"{route} is for {route.Callers}, and its authorization says otherwise."));
        Assert.All(api.Routes, route => Assert.True(
            (route.Callers is Callers.Member or Callers.Admin) == route.IsOfOrganization,
            $"{route} is for {route.Callers}: members and admins are those of the organization in the address."));
    }

    [Fact]
    public void The_document_describes_every_route_that_is_not_left_out_on_purpose() => Assert.Equal(
        api.Routes.Where(route => route.IsDescribed).Select(route => route.ToString()).Order(StringComparer.Ordinal),
        api.Description.Operations.Select(operation => operation.ToString()).Order(StringComparer.Ordinal));

    [Fact]
    public Task A_caller_who_is_not_known_is_told_401() => RefusedAsync(
        (_, _) => Task.FromResult<AuthenticationHeaderValue?>(null), route => IsOpen(route) ? null : [401]);

    [Fact]
    public Task A_revoked_key_is_told_401() => RefusedAsync(
        async (owner, _) =>
        {
            var (id, key) = await owner.MakeKeyAsync(owner.Organization, ApiKeyScopes.All);
            await owner.DoAsync(HttpMethod.Get, "/api/v1/users/me", body: null, key);
            await owner.DoAsync(HttpMethod.Delete, $"/api/v1/api-keys/{id}");
            var me = api.Routes.Single(route => route.ToString() == "GET /api/v1/users/me");
            await Eventually.TrueAsync("the key is refused", async () => (await api.CallAsync(me, owner.Values(me), key)).Status == 401);
            return key;
        },
        route => IsOpen(route) ? null : [401]);

    [Fact]
    public Task Another_user_finds_nothing() => RefusedAsync(
        async (owner, _) => (await owner.AddUserAsync(role: null)).Token, route => NamesARow(route) ? [404] : null);

    [Fact]
    public Task An_admin_of_another_organization_to_which_the_owner_belongs_as_well_finds_nothing() => RefusedAsync(
        async (owner, _) => (await MakeNeighbourAsync(owner)).Token, route => NamesARow(route) ? [404] : null);

    [Fact]
    public Task By_way_of_another_organization_its_admin_finds_none_of_the_owner_s_rows() => RefusedAsync(
        async (owner, _) => (await MakeNeighbourAsync(owner)).Token,
        // The owner is a member there, and its admin may change that; what the owner has elsewhere stays.
        route => route.IsOfOrganization && Rows(route).Any(row => row is not ("organization" or "user")) ? [404] : null,
        async (owner, caller) =>
        {
            var elsewhere = (await owner.DoAsync(HttpMethod.Get, "/api/v1/organizations", body: null, caller))!["items"]!.AsArray();
            return route => name => name == "organization" ? (string)elsewhere[^1]!["id"]! : owner.Values(route)(name);
        },
        route => route.IsOfOrganization && Rows(route).Any(row => row is not ("organization" or "user")));

    [Fact]
    public Task A_member_may_not_do_what_needs_an_admin_and_has_no_way_to_what_is_the_owner_s_own() => RefusedAsync(
        async (owner, _) => (await owner.AddUserAsync("member")).Token,
        route => route.Callers switch
        {
            Callers.Admin => [403],
            Callers.Member when Rows(route).Contains("user") => [403, 404],
            Callers.Member when Rows(route).Any(row => Owner.BelongsTo(row) == Belongs.ToUser) => [404],
            Callers.User when NamesARow(route) => [404],
            _ => null,
        },
        isMember: true);

    [Fact]
    public Task A_member_who_was_removed_finds_nothing() => RefusedAsync(
        async (owner, _) =>
        {
            var (id, token) = await owner.AddUserAsync("admin");
            await owner.DoAsync(HttpMethod.Get, $"/api/v1/organizations/{owner.Organization}/members", body: null, token);
            await owner.DoAsync(HttpMethod.Delete, $"/api/v1/organizations/{owner.Organization}/members/{id}");
            return token;
        },
        route => NamesARow(route) ? [404] : null);

    [Fact]
    public async Task A_key_with_every_scope_but_the_one_that_is_needed_is_told_403()
    {
        foreach (var area in Areas())
        {
            await RefusedAsync(
                async (owner, _) => (await owner.MakeKeyAsync(owner.Organization, ApiKeyScopes.All.Where(scope => !scope.StartsWith($"{area}:", StringComparison.Ordinal)))).Key,
                route => route.Area == area ? [403] : null,
                only: route => route.Area == area);
        }
    }

    [Fact]
    public Task A_key_that_may_only_read_changes_nothing() => RefusedAsync(
        async (owner, _) => (await owner.MakeKeyAsync(owner.Organization, ApiKeyScopes.All.Where(scope => scope.EndsWith(":read", StringComparison.Ordinal)))).Key,
        route => route.Area is not null && route.Method is not ("GET" or "HEAD") ? [403] : null);

    [Fact]
    public Task A_key_of_the_owner_s_for_another_organization_finds_nothing_in_this_one() => RefusedAsync(
        async (owner, _) =>
        {
            var other = await owner.DoAsync(HttpMethod.Post, "/api/v1/organizations", new { name = "Other" });
            return (await owner.MakeKeyAsync((string)other!["id"]!, ApiKeyScopes.All)).Key;
        },
        _ => [404], only: route => route.Callers is Callers.Member or Callers.Admin);

    [Fact]
    public async Task The_owner_is_refused_nowhere_with_the_same_addresses_and_bodies()
    {
        var refused = new List<string>();
        var reader = await api.CreateOwnerAsync();
        await Parallel.ForEachAsync(api.Routes.Where(route => !IsOpen(route)), Busy, async (route, _) =>
        {
            // What one route deletes another would miss.
            var owner = route.Method == "GET" ? reader : await api.CreateOwnerAsync();
            var withKey = (await owner.MakeKeyAsync(owner.Organization, ApiKeyScopes.All)).Key;
            var before = await api.RowsOfAsync(owner);
            foreach (var caller in new[] { owner.Token, withKey })
            {
                var (status, text) = await api.CallAsync(route, owner.Values(route), caller);
                // The key comes second, and works in its organization alone.
                if (route.RemovesCaller && caller != owner.Token)
                    continue;
                if (status is >= 500 or 401 or 403 || (status == 404 && caller == owner.Token && !route.FindsByBody))
                    Add(refused, $"{route}: {status} {text}");
            }

            // So that "nothing has changed" elsewhere is worth something.
            if ((route.Method is "PUT" or "PATCH" or "DELETE") && !route.Parameters.Contains("user") && (await api.RowsOfAsync(owner)).SequenceEqual(before))
                Add(refused, $"{route}: changed no row that {nameof(AuthorizedApi.RowsOfAsync)} looks at; is its sample body right?");
        });
        Assert.True(refused.Count == 0, string.Join('\n', refused));
    }

    private static ParallelOptions Busy => new() { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken };

    private static bool IsOpen(Route route) => route.Callers == Callers.Anyone;

    private static IReadOnlyList<string> Rows(Route route) => IsOpen(route) ? [] : [.. route.Parameters];

    private static bool NamesARow(Route route) => Rows(route).Any();

    private IEnumerable<string> Areas() => api.Routes.Select(route => route.Area).OfType<string>().Distinct();

    private static void Add(List<string> list, string line)
    {
        lock (list)
            list.Add(line);
    }

    // An admin of an organization in which the owner is a member.
    private static async Task<(string Id, AuthenticationHeaderValue Token)> MakeNeighbourAsync(Owner owner)
    {
        var neighbour = await owner.AddUserAsync(role: null);
        var organization = await owner.DoAsync(HttpMethod.Post, "/api/v1/organizations", new { name = "Both" }, neighbour.Token);
        await owner.DoAsync(HttpMethod.Post, $"/api/v1/organizations/{organization!["id"]}/members", new { user_id = owner.Id, role = "member" }, neighbour.Token);
        return neighbour;
    }

    /// <summary>Calls every route with the addresses of an owner as somebody else, and looks at the answers and at the owner's rows.</summary>
    private async Task RefusedAsync(
        Func<Owner, AuthorizedApi, Task<AuthenticationHeaderValue?>> callerAsync, Func<Route, int[]?> expected,
        Func<Owner, AuthenticationHeaderValue, Task<Func<Route, Func<string, string>>>>? valuesAsync = null, Func<Route, bool>? only = null, bool isMember = false)
    {
        var owner = await api.CreateOwnerAsync();
        var caller = await callerAsync(owner, api);
        var values = valuesAsync is null ? owner.Values : await valuesAsync(owner, caller!);
        var isKey = caller?.Parameter?.StartsWith(ApiKeyText.Prefix, StringComparison.Ordinal) is true;
        var before = await api.RowsOfAsync(owner);
        var leaks = new List<string>();
        // Who removes themselves could try nothing else afterwards. A key cannot.
        var routes = api.Routes.Where(route => only?.Invoke(route) != false && (caller is null || isKey || !route.RemovesCaller));
        await Parallel.ForEachAsync(routes, Busy, async (route, _) =>
        {
            var (status, text) = await api.CallAsync(route, values(route), caller);
            if (expected(route) is { } right ? !right.Contains(status) : status >= 500 || (status is 401 or 403 && !IsOpen(route)))
                Add(leaks, $"{route}: {status} {text}");
            var traces = isKey ? [] : isMember ? [owner.Private] : owner.Traces;
            if (traces.FirstOrDefault(trace => text.Contains(trace, StringComparison.Ordinal)) is { } trace)
                Add(leaks, $"{route}: shows {trace} of the owner: {text}");
        });
        Assert.True(leaks.Count == 0, string.Join('\n', leaks));
        Assert.Equal(before, await api.RowsOfAsync(owner));
    }
}
