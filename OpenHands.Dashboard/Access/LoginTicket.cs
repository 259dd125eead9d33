using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Dashboard.Access;

/// <summary>The token of the link that the host prints: it opens the dashboard once.</summary>
/// <param name="token">The token.</param>
internal sealed class LoginTicket(string token)
{
    private readonly byte[] _expected = Encoding.UTF8.GetBytes(token);
    private int _used;

    /// <summary>True for the first caller who has it, and for nobody else.</summary>
    public bool TryUse(string? given) =>
        given is not null
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), _expected)
        && Interlocked.Exchange(ref _used, 1) == 0;
}
