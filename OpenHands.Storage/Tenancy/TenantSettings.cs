using System.Data.Common;
using Npgsql;

namespace OpenHands.Storage.Tenancy;

/// <summary>The PostgreSQL settings that the policies read, and that of the audit log, for one transaction: session-level ones would leak through a pooler.</summary>
internal static class TenantSettings
{
    /// <summary>Sets them until the end of the transaction; one row.</summary>
    public const string Statement =
        "SELECT set_config('app.user_id', @tenant_user, true), set_config('app.organization_id', @tenant_organization, true), set_config('app.origin', @tenant_origin, true)";

    private const string Positional = "SELECT set_config('app.user_id', $1, true), set_config('app.organization_id', $2, true), set_config('app.origin', $3, true)";

    /// <summary>The same for a batch that is written by hand.</summary>
    public static NpgsqlBatchCommand Command(TenantContext tenant) => new(Positional)
    {
        Parameters =
        {
            new NpgsqlParameter<string> { TypedValue = tenant.UserId ?? "" },
            new NpgsqlParameter<string> { TypedValue = tenant.OrganizationId ?? "" },
            new NpgsqlParameter<string> { TypedValue = tenant.Origin?.ToSetting() ?? "" },
        },
    };

    /// <summary>Gives a command the parameters of <see cref="Statement"/>; '' stands for none.</summary>
    public static void AddTo(DbCommand command, TenantContext tenant)
    {
        command.Parameters.Add(new NpgsqlParameter<string>("tenant_user", tenant.UserId ?? ""));
        command.Parameters.Add(new NpgsqlParameter<string>("tenant_organization", tenant.OrganizationId ?? ""));
        command.Parameters.Add(new NpgsqlParameter<string>("tenant_origin", tenant.Origin?.ToSetting() ?? ""));
    }
}
