namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something that a manifest refers to by an expression in braces.</summary>
public interface IManifestExpressionProvider
{
    /// <summary>The expression, such as <c>{postgres.bindings.tcp.host}</c>.</summary>
    string ValueExpression { get; }
}
