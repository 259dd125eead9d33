using System.Text.Json.Serialization;

namespace OpenHands.Benchmarks.Queues;

/// <summary>Where a client finds its servers.</summary>
/// <param name="PostgresAddress">As a URL, of the superuser; null without PostgreSQL.</param>
/// <param name="Administrator">Connection string of the superuser.</param>
/// <param name="App">Connection string of our application's role.</param>
/// <param name="System">Connection string of our worker's role.</param>
/// <param name="Redis">Connection string of Redis; null without.</param>
/// <param name="RedisPort">Its port.</param>
/// <param name="RedisPassword">Its password.</param>
internal sealed record QueueSettings(
    [property: JsonPropertyName("postgres")] string? PostgresAddress,
    [property: JsonPropertyName("administrator")] string? Administrator,
    [property: JsonPropertyName("app")] string? App,
    [property: JsonPropertyName("system")] string? System,
    [property: JsonPropertyName("redis")] string? Redis,
    [property: JsonPropertyName("redisPort")] int? RedisPort,
    [property: JsonPropertyName("redisPassword")] string? RedisPassword);
