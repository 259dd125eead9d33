using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using OpenHands.Storage;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Tenancy;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Storage.Tenancy;

public sealed class TenantContextTests(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_scope_works_for_one_tenant()
    {
        var tenant = new TenantContext();
        tenant.Enter("u");
        tenant.Enter("u", "o");
        tenant.Enter("u");
        Assert.Equal("o", tenant.OrganizationId);
        Assert.Throws<InvalidOperationException>(() => tenant.Enter("other"));
        Assert.Throws<InvalidOperationException>(() => tenant.Enter("u", "other"));
    }

    [Fact]
    public async Task A_rented_context_works_for_the_scope_that_rents_it()
    {
        var users = new[] { await fixture.Database.SignInAsync(), await fixture.Database.SignInAsync() };
        await using var app = ApiHost.Build([$"ConnectionStrings:openhands={fixture.Database.App}"]);
        OpenHandsDb? rented = null;
        foreach (var user in users)
        {
            await using var scope = app.Services.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<TenantContext>().Enter(user);
            var db = scope.ServiceProvider.GetRequiredService<OpenHandsDb>();
            Assert.Same(rented ??= db, db);
            Assert.Equal(AutoTransactionBehavior.Always, db.Database.AutoTransactionBehavior);
            Assert.Equal(user, (await db.Users.SingleAsync(Token)).Id);
        }

        Assert.Null(rented!.Tenant);
        await using var nobody = app.Services.CreateAsyncScope();
        var empty = nobody.ServiceProvider.GetRequiredService<OpenHandsDb>();
        Assert.Same(rented, empty);
        Assert.Empty(await empty.Users.ToListAsync(Token));
    }

    [Fact]
    public async Task Members_see_each_other_only_in_the_organization_they_act_in()
    {
        var (admin, member) = (await fixture.Database.SignInAsync(), await fixture.Database.SignInAsync());
        var organization = await fixture.Database.DefaultOrganizationAsync(admin);
        await fixture.Database.JoinAsync(organization, member);

        Assert.Equal([admin, member], await UsersAsync(admin, null));
        Assert.Equal([member], await UsersAsync(member, null));
        Assert.Equal([admin, member], await UsersAsync(member, organization));
    }

    [Fact]
    public async Task An_organization_that_the_user_does_not_belong_to_shows_nothing()
    {
        var (admin, stranger) = (await fixture.Database.SignInAsync(), await fixture.Database.SignInAsync());
        var organization = await fixture.Database.DefaultOrganizationAsync(admin);
        await fixture.Database.QueryAsync(
            $"INSERT INTO secrets VALUES ('{EntityId.New(TimeProvider.System)}', NULL, '{organization}', 'custom', 'k', 'jwe', 'key', '', NULL, 1, now(), now())");

        Assert.Equal([stranger], await UsersAsync(stranger, organization));
        await using var db = fixture.Database.Open(stranger, organization);
        Assert.Empty(await db.Secrets.ToListAsync(Token));
        Assert.DoesNotContain(await db.Organizations.ToListAsync(Token), found => found.Id == organization);
        await using var own = fixture.Database.Open(admin);
        Assert.Single(await own.Secrets.ToListAsync(Token));
    }

    [Fact]
    public async Task Of_first_requests_that_race_one_makes_the_user_and_the_organization()
    {
        var user = EntityId.New(TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => fixture.Database.SignInAsync(user))));
        Assert.Equal(
            [$"{FirstLogin.OrganizationName}|admin|True"],
            await fixture.Database.QueryAsync(
                $"""
                SELECT o.name, m.role, u.active_organization_id = o.id FROM users u
                JOIN organization_memberships m ON m.user_id = u.id JOIN organizations o ON o.id = m.organization_id WHERE u.id = '{user}'
                """));
        Assert.Equal(["1"], await fixture.Database.QueryAsync($"SELECT count(*) FROM organizations WHERE default_of_user_id = '{user}'"));
    }

    private async Task<string[]> UsersAsync(string user, string? organization)
    {
        await using var db = fixture.Database.Open(user, organization);
        return await db.Users.OrderBy(found => found.Id).Select(found => found.Id).ToArrayAsync(Token);
    }
}
