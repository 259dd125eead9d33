using Npgsql;

namespace OpenHands.Storage.Tenancy;

/// <summary>The PostgreSQL settings that the policies read, and that of the audit log, for one transaction: session-level ones would leak through a pooler.</summary>
internal static class TenantSettings
{
    // set_config is never null, hence no row, and no column for one: nothing to be written, sent and read.
    private const string Statement =
        "SELECT WHERE num_nulls(set_config('app.user_id', $1, true), set_config('app.organization_id', $2, true), set_config('app.origin', $3, true)) > 0";

    /// <summary>Sets them until the end of the transaction; a result without rows. '' stands for none.</summary>
    public static NpgsqlBatchCommand Command(TenantContext tenant) => new(Statement)
    {
        Parameters =
        {
            new NpgsqlParameter<string> { TypedValue = tenant.UserId ?? "" },
            new NpgsqlParameter<string> { TypedValue = tenant.OrganizationId ?? "" },
            new NpgsqlParameter<string> { TypedValue = tenant.Origin?.ToSetting() ?? "" },
        },
    };
}
