using System.Text.Json.Serialization;

namespace OpenHands.Api.Organizations;

/// <summary>What an organization is to be called.</summary>
/// <param name="Name">1 to 255 characters on one line.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record OrganizationRequest([property: JsonRequired] string Name);

/// <summary>Who is to become a member.</summary>
/// <param name="UserId">Id of the user.</param>
/// <param name="Role">`admin` or `member`.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MemberRequest([property: JsonRequired] string UserId, [property: JsonRequired] string Role);

/// <summary>What a member is to be.</summary>
/// <param name="Role">`admin` or `member`.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RoleRequest([property: JsonRequired] string Role);
