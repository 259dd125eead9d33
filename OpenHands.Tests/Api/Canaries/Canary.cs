using System.Security.Cryptography;
using System.Text;

namespace OpenHands.Tests.Api.Canaries;

/// <summary>A value that occurs nowhere else, and what it looks like in the forms that text is kept in.</summary>
/// <param name="place">Where it is sent.</param>
internal sealed class Canary(string place)
{
    private readonly List<byte[]> _forms = [];

    /// <summary>Where it was sent, for the message of a failure.</summary>
    public string Place => place;

    /// <summary>The value itself.</summary>
    public string Text { get; init; } = $"canary{RandomNumberGenerator.GetHexString(40, lowercase: true)}";

    /// <summary>Whether the text has it, as it is, in hex, or in base64.</summary>
    public bool IsIn(string text) => IsIn(Encoding.UTF8.GetBytes(text));

    /// <summary>Whether the bytes have it.</summary>
    public bool IsIn(ReadOnlySpan<byte> bytes)
    {
        foreach (var form in Forms())
        {
            if (bytes.IndexOf(form) >= 0)
                return true;
        }

        return false;
    }

    // Base64 has three alignments; of each the letters that do not depend on the neighbours.
    private List<byte[]> Forms()
    {
        if (_forms.Count > 0)
            return _forms;
        var bytes = Encoding.UTF8.GetBytes(Text);
        _forms.AddRange([bytes, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(bytes)), Encoding.Unicode.GetBytes(Text)]);
        for (var shift = 0; shift < 3; shift++)
        {
            var encoded = Convert.ToBase64String([.. new byte[shift], .. bytes]);
            _forms.Add(Encoding.ASCII.GetBytes(encoded[4..^4]));
        }

        return _forms;
    }
}
