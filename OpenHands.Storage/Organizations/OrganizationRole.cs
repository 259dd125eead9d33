namespace OpenHands.Storage.Organizations;

/// <summary>What a member may do in an organization.</summary>
public static class OrganizationRole
{
    /// <summary>Everything.</summary>
    public const string Admin = "admin";

    /// <summary>Reads what belongs to the organization, and works in it.</summary>
    public const string Member = "member";

    /// <summary>Whether the text is one of them.</summary>
    public static bool IsOne(string? text) => text is Admin or Member;
}
