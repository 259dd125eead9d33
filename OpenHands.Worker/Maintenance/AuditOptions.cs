using System.ComponentModel.DataAnnotations;
using OpenHands.Storage.Audit;

namespace OpenHands.Worker.Maintenance;

/// <summary>What the operator decides about the audit log.</summary>
public sealed class AuditOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Audit";

    /// <summary>
    /// Days for which events are kept that belong to no organization (logins, what is a user's own) or to one that is gone; 30 to
    /// 3650, null for ever. An organization's own are for its admins to decide.
    /// </summary>
    [Range(AuditRetention.FewestDays, AuditRetention.MostDays)]
    public int? RetentionDays { get; set; }
}
