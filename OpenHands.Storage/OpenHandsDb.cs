using Microsoft.EntityFrameworkCore;
using OpenHands.Storage.ApiKeys;
using OpenHands.Storage.Audit;
using OpenHands.Storage.DataProtection;
using OpenHands.Storage.Idempotency;
using OpenHands.Storage.Invitations;
using OpenHands.Storage.Locks;
using OpenHands.Storage.Organizations;
using OpenHands.Storage.Postgres;
using OpenHands.Storage.Queues;
using OpenHands.Storage.Secrets;
using OpenHands.Storage.Secrets.Rotation;
using OpenHands.Storage.Sessions;
using OpenHands.Storage.Settings;
using OpenHands.Storage.Tenancy;
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

    /// <summary>For whom this context works while it is rented; null shows no tenant's rows.</summary>
    internal TenantContext? Tenant { get; set; }

    /// <summary>The transaction that stores take part in; null while none is open.</summary>
    internal StoreTransaction? StoreTransaction { get; set; }

    /// <summary>What the open transaction wants done once it is committed.</summary>
    internal List<Func<Task>> AfterCommit { get; } = [];

    /// <summary>The people who use the platform.</summary>
    public DbSet<User> Users => Set<User>();

    /// <summary>Who users are at issuers of identities.</summary>
    public DbSet<UserIdentity> UserIdentities => Set<UserIdentity>();

    /// <summary>Keys of login cookies.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <summary>One row of preferences per user.</summary>
    public DbSet<UserSettings> UserSettings => Set<UserSettings>();

    /// <summary>At most one row of defaults for members per organization.</summary>
    public DbSet<OrganizationSettings> OrganizationSettings => Set<OrganizationSettings>();

    /// <summary>The tenants.</summary>
    public DbSet<Organization> Organizations => Set<Organization>();

    /// <summary>Who belongs to which organization, in which role.</summary>
    public DbSet<OrganizationMembership> OrganizationMemberships => Set<OrganizationMembership>();

    /// <summary>Who may become a member of which organization by a link.</summary>
    public DbSet<Invitation> Invitations => Set<Invitation>();

    /// <summary>Saved states of pieces of work.</summary>
    public DbSet<Session> Sessions => Set<Session>();

    /// <summary>The current version of every secret, encrypted.</summary>
    public DbSet<Secret> Secrets => Set<Secret>();

    /// <summary>Former versions of secrets, encrypted.</summary>
    public DbSet<SecretVersion> SecretVersions => Set<SecretVersion>();

    /// <summary>Which keys of the ring something stored may be encrypted under.</summary>
    public DbSet<EncryptionKey> EncryptionKeys => Set<EncryptionKey>();

    /// <summary>Halves of the keys of tenants.</summary>
    public DbSet<TenantKey> TenantKeys => Set<TenantKey>();

    /// <summary>Rotations that were asked for.</summary>
    public DbSet<KeyRotationRun> KeyRotationRuns => Set<KeyRotationRun>();

    /// <summary>Hashes of the keys that programs call with.</summary>
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    /// <summary>What was answered to requests that may be sent again.</summary>
    public DbSet<IdempotencyRecord> IdempotencyRecords => Set<IdempotencyRecord>();

    /// <summary>Values taken from a queue that no handler could read, with the reason.</summary>
    public DbSet<DeadLetter> DeadLetters => Set<DeadLetter>();

    /// <summary>Who did what.</summary>
    public DbSet<AuditEvent> AuditEvents => Set<AuditEvent>();

    /// <summary>The chain over <see cref="AuditEvents"/>; only the system role sees it.</summary>
    public DbSet<AuditSeal> AuditSeals => Set<AuditSeal>();

    /// <summary>How long organizations keep their audit events.</summary>
    public DbSet<AuditRetention> AuditRetentions => Set<AuditRetention>();

    /// <summary>How far each lock has come: what older holders write is refused.</summary>
    public DbSet<Fence> Fences => Set<Fence>();

    /// <inheritdoc />
    public override void Dispose()
    {
        (Tenant, StoreTransaction) = (null, null); // before the pool has it back
        AfterCommit.Clear();
        base.Dispose();
    }

    /// <inheritdoc />
    public override ValueTask DisposeAsync()
    {
        (Tenant, StoreTransaction) = (null, null);
        AfterCommit.Clear();
        return base.DisposeAsync();
    }

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(OpenHandsDb).Assembly);
        modelBuilder.HasSequence(FencingTokens.Sequence);
    }
}
