using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A random value.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    private const string LowerLetters = "abcdefghjkmnpqrstuvwxyz";
    private const string UpperLetters = "ABCDEFGHJKMNPQRSTUVWXYZ";
    private const string Digits = "0123456789";
    private const string Specials = "-_.{}~()*+!";

    /// <summary>The length in characters.</summary>
    public int MinLength { get; set; } = 22;

    /// <summary>True when lower-case letters may occur.</summary>
    public bool Lower { get; set; } = true;

    /// <summary>True when upper-case letters may occur.</summary>
    public bool Upper { get; set; } = true;

    /// <summary>True when digits may occur.</summary>
    public bool Numeric { get; set; } = true;

    /// <summary>True when punctuation may occur.</summary>
    public bool Special { get; set; } = true;

    /// <inheritdoc/>
    public override string GetDefaultValue()
    {
        var alphabet = (Lower ? LowerLetters : "") + (Upper ? UpperLetters : "") + (Numeric ? Digits : "") + (Special ? Specials : "");
        return alphabet.Length > 0
            ? RandomNumberGenerator.GetString(alphabet, MinLength)
            : throw new InvalidOperationException("A generated parameter needs at least one kind of characters.");
    }
}
