namespace OpenHands.Api.GitProviders;

/// <summary>The caller as a git provider knows them, as the web front end reads it.</summary>
/// <param name="Id">Id there.</param>
/// <param name="Login">Name to log in with there.</param>
/// <param name="AvatarUrl">Address of a picture; empty where there is none.</param>
/// <param name="Company">Where they work, if they say it.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Email">Address that everybody may see, if any.</param>
public sealed record GitUser(string Id, string Login, string AvatarUrl, string? Company, string? Name, string? Email);
