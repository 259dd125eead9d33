namespace OpenHands.Storage.Settings;

/// <summary>A user with everything that a page needs to know about them first.</summary>
/// <param name="Id">Id of the user.</param>
/// <param name="Email">Verified address, or null.</param>
/// <param name="DisplayName">Name to show, or null.</param>
/// <param name="Memberships">The organizations that the user belongs to, oldest first.</param>
/// <param name="Settings">The preferences; null when none were ever saved and the organization gives none.</param>
public sealed record Profile(
    string Id, string? Email, string? DisplayName, IReadOnlyList<ProfileMembership> Memberships, SavedSettings? Settings);

/// <summary>A membership of a user.</summary>
/// <param name="OrganizationId">Id of the organization.</param>
/// <param name="Name">Name of the organization.</param>
/// <param name="Role">The user's role in it.</param>
/// <param name="IsActive">Whether the user's requests act in it unless they name another.</param>
public sealed record ProfileMembership(string OrganizationId, string Name, string Role, bool IsActive);
