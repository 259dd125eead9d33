using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Users;

namespace OpenHands.Storage;

/// <summary>The PostgreSQL database: everything that must survive.</summary>
public sealed class OpenHandsDb : DbContext
{
    /// <summary>Opens the database with options that <see cref="StorageExtensions.UseOpenHandsDb"/> has completed.</summary>
    public OpenHandsDb(DbContextOptions<OpenHandsDb> options) : base(options)
    {
        // The tenant of row-level security is set inside the transaction, so there must always be one.
        Database.AutoTransactionBehavior = AutoTransactionBehavior.Always;
    }

    /// <summary>The people who use the platform.</summary>
    public DbSet<User> Users => Set<User>();

    /// <summary>One row of preferences per user.</summary>
    public DbSet<UserSettings> UserSettings => Set<UserSettings>();

    /// <summary>Values taken from a queue that no handler could read, with the reason.</summary>
    public DbSet<DeadLetter> DeadLetters => Set<DeadLetter>();

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(OpenHandsDb).Assembly);
    }
}
