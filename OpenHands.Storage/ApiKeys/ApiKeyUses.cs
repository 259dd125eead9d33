using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenHands.Storage.Uses;

namespace OpenHands.Storage.ApiKeys;

/// <summary>When API keys were last used.</summary>
public sealed class ApiKeyUses(IServiceScopeFactory scopes, TimeProvider time, ILogger<ApiKeyUses> logger) : UseLog(scopes, time, logger)
{
    /// <inheritdoc />
    protected override FormattableString Statement(string[] ids, DateTimeOffset[] instants) => $"SELECT note_api_key_uses({ids}, {instants})";
}
