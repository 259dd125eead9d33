namespace OpenHands.Storage.Organizations;

/// <summary>What became of a change of an organization.</summary>
public enum OrganizationOutcome
{
    /// <summary>It is done.</summary>
    Done,

    /// <summary>There is no such organization for this user.</summary>
    NotFound,

    /// <summary>Only an admin may do it.</summary>
    NotAdmin,

    /// <summary>Somebody else changed the organization since the version that the caller saw.</summary>
    Changed,

    /// <summary>The platform has no such user.</summary>
    NoSuchUser,

    /// <summary>The user belongs to the organization already.</summary>
    AlreadyMember,

    /// <summary>The user does not belong to the organization.</summary>
    NoSuchMember,

    /// <summary>It would leave the organization without an admin.</summary>
    LastAdmin,
}
