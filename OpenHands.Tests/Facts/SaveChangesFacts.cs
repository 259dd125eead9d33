using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using OpenHands.Storage;
using OpenHands.Storage.Sessions;
using OpenHands.Tests.Support;

namespace OpenHands.Tests.Facts;

/// <summary>Saving must notice every row that it did not change, although the tenant travels with the commands.</summary>
public sealed class SaveChangesFacts(DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stale_version_on_one_row_throws()
    {
        var (user, sessions) = await SessionsAsync(1);
        await AssertRefusedAsync(user, sessions, () => ElsewhereAsync("UPDATE sessions SET version = 2", sessions[0]));
    }

    [Fact]
    public async Task A_stale_version_on_the_last_of_three_throws_and_none_is_saved()
    {
        var (user, sessions) = await SessionsAsync(3);
        await AssertRefusedAsync(user, sessions, () => ElsewhereAsync("UPDATE sessions SET version = 2", sessions[2]));
    }

    [Fact]
    public async Task A_deleted_row_throws()
    {
        var (user, sessions) = await SessionsAsync(3);
        await AssertRefusedAsync(user, sessions, () => ElsewhereAsync("DELETE FROM sessions", sessions[1]));
    }

    [Fact]
    public async Task A_foreign_row_throws()
    {
        var (_, sessions) = await SessionsAsync(1);
        await AssertRefusedAsync(await fixture.Database.SignInAsync(), sessions, () => Task.CompletedTask);
    }

    [Fact]
    public async Task Fresh_rows_are_saved()
    {
        var (user, sessions) = await SessionsAsync(3);
        await using var db = fixture.Database.Open(user);
        Change(db, sessions);
        Assert.Equal(3, await db.SaveChangesAsync(Token));
        Assert.Equal(["changed", "changed", "changed"], await ConversationsAsync(sessions));
    }

    [Fact]
    public async Task Without_transaction_around_them_bulk_changes_count_only_their_own_rows()
    {
        var (user, sessions) = await SessionsAsync(3);
        await using var db = fixture.Database.Open(user);
        Assert.Equal(3, await db.Sessions.Where(session => sessions.Contains(session.Id)).ExecuteUpdateAsync(set => set.SetProperty(session => session.ConversationId, "c"), Token));
        Assert.Equal(3, await db.Sessions.Where(session => sessions.Contains(session.Id)).ExecuteDeleteAsync(Token));
        Assert.Equal(0, await db.Sessions.Where(session => sessions.Contains(session.Id)).ExecuteDeleteAsync(Token));
    }

    // Why the tenant is never prefixed to what SaveChanges sends: Npgsql judges statements by their position.
    [Fact]
    public async Task A_prefix_would_let_a_stale_save_report_success()
    {
        var (user, sessions) = await SessionsAsync(1);
        await ElsewhereAsync("UPDATE sessions SET version = 2", sessions[0]);

        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql(fixture.Database.App).UseSnakeCaseNamingConvention().AddInterceptors(new Prefix(user));
        await using var db = new OpenHandsDb(options.Options);
        Change(db, sessions);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal([""], await ConversationsAsync(sessions));
    }

    private async Task<(string User, string[] Sessions)> SessionsAsync(int count)
    {
        var user = await fixture.Database.SignInAsync();
        await using var db = fixture.Database.Open(user);
        var sessions = Enumerable.Range(0, count).Select(_ => New(user, EntityId.New(TimeProvider.System))).ToList();
        db.Sessions.AddRange(sessions);
        await db.SaveChangesAsync(Token);
        return (user, [.. sessions.Select(session => session.Id)]);
    }

    private async Task AssertRefusedAsync(string user, string[] sessions, Func<Task> meanwhile)
    {
        await using var db = fixture.Database.Open(user);
        Change(db, sessions);
        await meanwhile();
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync(Token));
        Assert.DoesNotContain("changed", await ConversationsAsync(sessions));
    }

    private static void Change(OpenHandsDb db, string[] sessions)
    {
        foreach (var id in sessions)
        {
            var session = New("anybody", id);
            db.Attach(session);
            session.ConversationId = "changed";
        }
    }

    private static Session New(string user, string id) => new() { Id = id, UserId = user, State = "{}", Version = 1 };

    private Task<IReadOnlyList<string>> ElsewhereAsync(string statement, string session) => fixture.Database.QueryAsync($"{statement} WHERE id = '{session}'");

    private Task<IReadOnlyList<string>> ConversationsAsync(string[] sessions) => fixture.Database.QueryAsync(
        $"SELECT coalesce(conversation_id, '') FROM sessions WHERE id IN ({string.Join(',', sessions.Select(id => $"'{id}'"))})");

    private sealed class Prefix(string user) : DbCommandInterceptor
    {
        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            command.CommandText = $"SELECT set_config('app.user_id', '{user}', true);\n{command.CommandText}";
            return new(result);
        }

        public override async ValueTask<DbDataReader> ReaderExecutedAsync(
            DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
        {
            await result.NextResultAsync(cancellationToken);
            return result;
        }
    }
}
