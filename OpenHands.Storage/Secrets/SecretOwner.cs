namespace OpenHands.Storage.Secrets;

/// <summary>Whose a secret is: exactly one of the two.</summary>
/// <param name="UserId">The user, or null.</param>
/// <param name="OrganizationId">The organization, or null.</param>
public readonly record struct SecretOwner(string? UserId, string? OrganizationId)
{
    /// <summary>The tenant whose key encrypts it.</summary>
    internal string Tenant => UserId is null ? $"organization:{OrganizationId}" : $"user:{UserId}";

    /// <summary>A secret of a user's own.</summary>
    public static SecretOwner User(string id) => new(id, null);

    /// <summary>A secret that all members of an organization use and its admins change.</summary>
    public static SecretOwner Organization(string id) => new(null, id);
}
