using System.IO.Hashing;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>One of two texts, chosen by a property of an endpoint when the application runs or is published.</summary>
/// <param name="condition">The property.</param>
/// <param name="matchValue">The value with which <paramref name="whenTrue"/> is chosen, ignoring case.</param>
/// <param name="whenTrue">The text for that value.</param>
/// <param name="whenFalse">The text for any other.</param>
internal sealed class ConditionalExpression(
    EndpointReferenceExpression condition, string matchValue, ReferenceExpression whenTrue, ReferenceExpression whenFalse)
    : IManifestExpressionProvider, IValueProvider, IValueWithReferences
{
    /// <summary>
    /// Its name in a manifest, where it is a value of its own: the condition in letters and digits, and a checksum
    /// (XXH32, not for security) of everything it is made of, as Aspire writes it.
    /// </summary>
    public string Name { get; } =
        $"cond-{Hyphenated(condition.ValueExpression)}-{Checksum(condition.ValueExpression + whenTrue.ValueExpression + whenFalse.ValueExpression + matchValue)}";

    /// <inheritdoc/>
    public string ValueExpression => $"{{{Name}.connectionString}}";

    IEnumerable<object> IValueWithReferences.References => [condition, whenTrue, whenFalse];

    /// <inheritdoc/>
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        var value = await condition.GetValueAsync(cancellationToken).ConfigureAwait(false);
        var chosen = string.Equals(value, matchValue, StringComparison.OrdinalIgnoreCase) ? whenTrue : whenFalse;
        return await chosen.GetValueAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string Hyphenated(string expression) => string.Join('-', expression.ToLowerInvariant()
        .Split([.. expression.ToLowerInvariant().Where(c => !char.IsLetterOrDigit(c)).Distinct()], StringSplitOptions.RemoveEmptyEntries));

    private static string Checksum(string text) => Convert.ToHexStringLower(XxHash32.Hash(Encoding.UTF8.GetBytes(text)));
}
