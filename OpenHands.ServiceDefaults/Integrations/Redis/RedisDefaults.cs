using StackExchange.Redis.Configuration;

namespace OpenHands.ServiceDefaults.Integrations.Redis;

/// <summary>Defaults below what the connection string says: a Redis that is down at the first use is waited for, not fatal.</summary>
internal sealed class RedisDefaults : DefaultOptionsProvider
{
    /// <inheritdoc/>
    public override bool AbortOnConnectFail => false;
}
