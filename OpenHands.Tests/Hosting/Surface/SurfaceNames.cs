using System.Reflection;
using System.Runtime.CompilerServices;

namespace OpenHands.Tests.Hosting.Surface;

/// <summary>Writes types and parameters as C# does, nullability and defaults included, without namespaces.</summary>
internal static class SurfaceNames
{
    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
    };

    public static string Of(ParameterInfo parameter)
    {
        var nullability = new NullabilityInfoContext().Create(parameter);
        return Of(parameter.ParameterType, nullability, parameter.Position < 0 ? nullability.ReadState : nullability.WriteState);
    }

    public static string Of(PropertyInfo property)
    {
        var nullability = new NullabilityInfoContext().Create(property);
        return Of(property.PropertyType, nullability, nullability.ReadState);
    }

    public static string Of(FieldInfo field)
    {
        var nullability = new NullabilityInfoContext().Create(field);
        return Of(field.FieldType, nullability, nullability.ReadState);
    }

    public static string Of(Type type) => Of(type, null, NullabilityState.Unknown);

    public static string Parameters(MethodBase method)
    {
        var extension = method.IsDefined(typeof(ExtensionAttribute));
        return string.Join(", ", method.GetParameters().Select(parameter => (extension && parameter.Position == 0 ? "this " : "") + Parameter(parameter)));
    }

    public static string Constraints(Type[] parameters) => string.Concat(
        parameters.Where(parameter => parameter.IsGenericParameter).Select(parameter => (parameter.Name, Rules: Rules(parameter)))
            .Where(parameter => parameter.Rules.Count > 0)
            .Select(parameter => $" where {parameter.Name} : {string.Join(", ", parameter.Rules)}"));

    private static string Of(Type type, NullabilityInfo? nullability, NullabilityState state)
    {
        if (type.IsByRef)
        {
            return Of(type.GetElementType()!, nullability, state);
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Of(underlying) + "?";
        }

        var name = type.IsArray
            ? Of(type.GetElementType()!, nullability?.ElementType, nullability?.ElementType?.ReadState ?? NullabilityState.Unknown) + "[]"
            : Keywords.GetValueOrDefault(type) ?? Plain(type, nullability);
        return state == NullabilityState.Nullable && !type.IsValueType && !type.IsGenericParameter ? name + "?" : name;
    }

    private static string Plain(Type type, NullabilityInfo? nullability)
    {
        var outer = type.DeclaringType is null || type.IsGenericParameter ? "" : Of(type.DeclaringType) + ".";
        if (!type.IsGenericType)
        {
            return outer + type.Name;
        }

        var arguments = type.GetGenericArguments().Select((argument, i) => type.IsGenericTypeDefinition
            ? Variance(argument) + argument.Name
            : Of(argument, Argument(nullability, i), Argument(nullability, i)?.ReadState ?? NullabilityState.Unknown));
        return $"{outer}{type.Name[..type.Name.IndexOf('`')]}<{string.Join(", ", arguments)}>";
    }

    private static NullabilityInfo? Argument(NullabilityInfo? nullability, int index) =>
        nullability is not null && index < nullability.GenericTypeArguments.Length ? nullability.GenericTypeArguments[index] : null;

    private static string Variance(Type parameter) => (parameter.GenericParameterAttributes & GenericParameterAttributes.VarianceMask) switch
    {
        GenericParameterAttributes.Covariant => "out ",
        GenericParameterAttributes.Contravariant => "in ",
        _ => "",
    };

    private static List<string> Rules(Type parameter)
    {
        var rules = parameter.GetGenericParameterConstraints().Select(Of).ToList();
        if (parameter.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            rules.Insert(0, "class");
        }

        if (parameter.GenericParameterAttributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint))
        {
            rules.Add("new()");
        }

        return rules;
    }

    private static string Parameter(ParameterInfo parameter)
    {
        var passing = parameter switch
        {
            { IsOut: true } => "out ",
            { IsIn: true } => "in ",
            { ParameterType.IsByRef: true } => "ref ",
            _ when parameter.IsDefined(typeof(ParamArrayAttribute)) => "params ",
            _ => "",
        };
        // Callers of an operator cannot name its operand.
        var name = parameter.Member.Name.StartsWith("op_", StringComparison.Ordinal) ? "" : " " + parameter.Name;
        return passing + Of(parameter) + name + (parameter.HasDefaultValue ? " = " + Default(parameter) : "");
    }

    private static string Default(ParameterInfo parameter) => parameter.RawDefaultValue switch
    {
        null when parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null => "default",
        null => "null",
        bool value => value ? "true" : "false",
        string value => $"\"{value}\"",
        var value when parameter.ParameterType.IsEnum => $"{parameter.ParameterType.Name}.{Enum.ToObject(parameter.ParameterType, value)}",
        var value => value.ToString()!,
    };
}
