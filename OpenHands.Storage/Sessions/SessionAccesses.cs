using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.Uses;

namespace OpenHands.Storage.Sessions;

/// <summary>When sessions were last read.</summary>
public sealed class SessionAccesses(IServiceScopeFactory scopes, TimeProvider time, ILogger<SessionAccesses> logger) : UseLog(scopes, time, logger)
{
    /// <inheritdoc />
    protected override FormattableString Statement(string[] ids, DateTimeOffset[] instants) => $"SELECT note_session_accesses({ids}, {instants})";
}
