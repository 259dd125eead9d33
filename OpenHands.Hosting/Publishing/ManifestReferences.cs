using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace OpenHands.Hosting.Publishing;

/// <summary>Turns values into the expressions that stand for them in a manifest, and remembers what these refer to.</summary>
internal sealed class ManifestReferences
{
    private readonly List<IResource> _resources = [];
    private readonly List<ConditionalExpression> _conditionals = [];

    /// <summary>The resources referred to, in the order they came up.</summary>
    public IReadOnlyList<IResource> Resources => _resources;

    /// <summary>The conditional values referred to, in the order they came up.</summary>
    public IReadOnlyList<ConditionalExpression> Conditionals => _conditionals;

    /// <summary>The text that stands for a value.</summary>
    /// <exception cref="DistributedApplicationException">The value is known only when the application runs.</exception>
    public string Expression(object value)
    {
        var meant = value is IResourceBuilder<IResource> builder ? builder.Resource : value;
        Remember(meant);
        return meant switch
        {
            string text => text,
            IManifestExpressionProvider provider => provider.ValueExpression,
            IValueProvider or IResource => throw new DistributedApplicationException($"a value has no expression in a manifest: it is a {meant.GetType().Name}."),
            _ => Convert.ToString(meant, CultureInfo.InvariantCulture) ?? "",
        };
    }

    private void Remember(object value)
    {
        switch (value)
        {
            case IResource resource:
                // What a resource itself refers to is in its own entry.
                if (!_resources.Contains(resource))
                {
                    _resources.Add(resource);
                }

                break;
            case IValueWithReferences references:
                if (references is ConditionalExpression conditional && _conditionals.TrueForAll(other => other.Name != conditional.Name))
                {
                    _conditionals.Add(conditional);
                }

                foreach (var reference in references.References)
                {
                    Remember(reference);
                }

                break;
        }
    }
}
