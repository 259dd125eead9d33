using Microsoft.Extensions.Options;

namespace OpenHands.Api.Frontend;

/// <summary>Whether the API also serves the web front end.</summary>
internal sealed class FrontendOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Frontend";

    /// <summary>Folder of a built front end (the one with index.html), absolute or relative to the working directory; null serves none.</summary>
    public string? Directory { get; set; }

    /// <summary><see cref="Directory"/> in full, or null.</summary>
    public string? FullPath => string.IsNullOrWhiteSpace(Directory) ? null : Path.GetFullPath(Directory);
}

/// <summary>Says on start what is wrong with the folder, rather than with every request.</summary>
internal sealed class FrontendOptionsCheck : IValidateOptions<FrontendOptions>
{
    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, FrontendOptions options) => options.FullPath switch
    {
        null => ValidateOptionsResult.Success,
        var path when !Directory.Exists(path) =>
            ValidateOptionsResult.Fail($"Frontend:Directory is {path}, which is not a folder that can be read."),
        var path when !File.Exists(Path.Combine(path, FrontendFiles.Page)) =>
            ValidateOptionsResult.Fail($"Frontend:Directory is {path}, which has no {FrontendFiles.Page}: name the folder that the front end's build wrote."),
        _ => ValidateOptionsResult.Success,
    };
}
