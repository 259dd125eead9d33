namespace OpenHands.Storage.Invitations;

/// <summary>What became of an attempt to look at or accept an invitation.</summary>
public enum InvitationOutcome
{
    /// <summary>The user may join, or has joined now.</summary>
    Done,

    /// <summary>There is no such invitation: the token is wrong, or it was revoked.</summary>
    NotFound,

    /// <summary>The user is a member already; the invitation stays as it was.</summary>
    AlreadyMember,

    /// <summary>Somebody has joined by it.</summary>
    Used,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>It is for another address than the user's verified one.</summary>
    OtherAddress,
}
