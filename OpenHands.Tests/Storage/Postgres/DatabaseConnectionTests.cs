using Microsoft.EntityFrameworkCore;
using Npgsql;
using OpenHands.Storage;
using OpenHands.Storage.Postgres;

namespace OpenHands.Tests.Storage.Postgres;

public sealed class DatabaseConnectionTests
{
    [Fact]
    public void What_the_connection_string_lacks_is_bounded()
    {
        var bounded = new NpgsqlConnectionStringBuilder(DatabaseConnection.WithBounds("Host=h;Username=u;Password=p;Database=d"));
        Assert.Equal(20, bounded.MaxPoolSize);
        Assert.Equal(1, bounded.Timeout);
        Assert.Equal(1, bounded.CommandTimeout);
        Assert.Equal(50, bounded.MaxAutoPrepare);
        Assert.Equal(1, bounded.HostRecheckSeconds);
        Assert.Equal(-1, bounded.CancellationTimeout);
        Assert.Equal(("h", "u", "p", "d"), (bounded.Host, bounded.Username, bounded.Password, bounded.Database));
    }

    [Theory]
    [InlineData("Maximum Pool Size=7;Timeout=9;Command Timeout=8;Max Auto Prepare=0")]
    [InlineData("MaxPoolSize=7;timeout=9;CommandTimeout=8;MaxAutoPrepare=0")]
    public void What_it_says_itself_stays(string given)
    {
        var bounded = new NpgsqlConnectionStringBuilder(DatabaseConnection.WithBounds($"Host=h;{given}"));
        Assert.Equal((7, 9, 8, 0), (bounded.MaxPoolSize, bounded.Timeout, bounded.CommandTimeout, bounded.MaxAutoPrepare));
    }

    [Fact]
    public void The_context_gets_the_bounds_and_always_a_transaction()
    {
        var options = new DbContextOptionsBuilder<OpenHandsDb>();
        options.UseNpgsql("Host=h;Database=d").UseOpenHandsDb();
        using var db = new OpenHandsDb(options.Options);
        Assert.Equal(20, new NpgsqlConnectionStringBuilder(db.Database.GetConnectionString()).MaxPoolSize);
        Assert.Equal(AutoTransactionBehavior.Always, db.Database.AutoTransactionBehavior);
        Assert.Equal(
            [
                "api_keys", "audit_events", "audit_retentions", "audit_seals", "data_protection_keys", "dead_letters", "encryption_keys", "fences", "idempotency_records", "invitations",
                "key_rotation_runs", "organization_memberships", "organization_settings", "organizations", "secret_versions", "secrets", "sessions", "tenant_keys", "user_identities",
                "user_settings", "users",
            ],
            db.Model.GetEntityTypes().Select(entity => entity.GetTableName()).Order());
    }
}
