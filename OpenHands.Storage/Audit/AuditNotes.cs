using Microsoft.EntityFrameworkCore;

namespace OpenHands.Storage.Audit;

/// <summary>Lets a store say more of the change that it is about to make than the row shows.</summary>
internal static class AuditNotes
{
    /// <summary>Replaces the word, and adds to the detail, of the next event of this transaction.</summary>
    /// <param name="db">In a transaction.</param>
    /// <param name="word">Such as <c>restored</c>.</param>
    /// <param name="detail">Such as <c>value of version 3</c>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static Task NoteAuditAsync(this OpenHandsDb db, string word, string detail, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync($"SELECT set_config('app.audit_note', {word + "|" + detail}, true)", cancellationToken);
}
