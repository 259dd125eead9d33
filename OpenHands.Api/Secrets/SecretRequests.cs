using System.Text.Json.Serialization;

namespace OpenHands.Api.Secrets;

/// <summary>A new secret as the web front end posts it. Unknown members are ignored.</summary>
/// <param name="Name">1 to 256 characters without blanks and slashes.</param>
/// <param name="Value">1 to 65,536 bytes of text without NUL characters; never shown again.</param>
/// <param name="Description">What it is for.</param>
public sealed record NewSecret([property: JsonRequired] string? Name, [property: JsonRequired] string? Value, string? Description);

/// <summary>The new name and description of a secret; its value stays.</summary>
/// <param name="Name">1 to 256 characters without blanks and slashes.</param>
/// <param name="Description">What it is for; empty when absent.</param>
public sealed record RenamedSecret([property: JsonRequired] string? Name, string? Description);

/// <summary>A new value for a secret.</summary>
/// <param name="Value">1 to 65,536 bytes of text without NUL characters; never shown again.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SecretValue([property: JsonRequired] string? Value);

/// <summary>The secrets of the caller, as the web front end lists them.</summary>
/// <param name="Items">Without values, by name.</param>
public sealed record SecretList([property: JsonPropertyName("custom_secrets")] IReadOnlyList<CustomSecret> Items);

/// <summary>A secret without its value.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for.</param>
public sealed record CustomSecret(string Name, string Description);

/// <summary>Says what was done.</summary>
/// <param name="Message">For a person.</param>
public sealed record SecretChanged(string Message);
