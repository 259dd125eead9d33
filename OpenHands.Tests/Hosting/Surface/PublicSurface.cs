using System.Reflection;
using System.Runtime.CompilerServices;

namespace OpenHands.Tests.Hosting.Surface;

/// <summary>What callers of an assembly can see, written as C# would: for each type a head and a line per member.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IReadOnlyList<SurfaceType> Of(Assembly assembly) =>
        [.. assembly.GetExportedTypes().Select(type => new SurfaceType(Head(type), [.. Members(type).Order(StringComparer.Ordinal)]))];

    private static SurfaceHead Head(Type type)
    {
        var implied = type.GetInterfaces().SelectMany(other => other.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []).ToHashSet();
        var parents = type.GetInterfaces().Where(other => other.IsPublic && !implied.Contains(other) && !IsEquatable(other)).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && parent != typeof(Enum))
        {
            parents.Insert(0, parent);
        }

        var name = type.DeclaringType is null ? $"{type.Namespace}.{SurfaceNames.Of(type)}" : $"{type.Namespace}.{SurfaceNames.Of(type.DeclaringType)}.{SurfaceNames.Of(type)}";
        return new SurfaceHead($"{Kind(type)} {name}{SurfaceNames.Constraints(type.GetGenericArguments())}", type.IsEnum ? [] : [.. parents.Select(other => SurfaceNames.Of(other))]);
    }

    private static bool IsEquatable(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEquatable<>);

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        _ => "class",
    };

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return type.GetEnumNames().Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name))}");
        }

        var constructors = type.GetConstructors(Declared).Where(IsVisible);
        var methods = type.GetMethods(Declared).Where(method => IsVisible(method) && !IsGenerated(method) && !IsAccessor(method) && !IsOfObject(method));
        var properties = type.GetProperties(Declared).Where(property => property.GetAccessors(nonPublic: true).Any(IsVisible) && !IsGenerated(property));
        var fields = type.GetFields(Declared).Where(field => field.IsPublic);
        return constructors.Select(constructor => $"{Access(constructor)}ctor({SurfaceNames.Parameters(constructor)})")
            .Concat(methods.Select(Method)).Concat(properties.Select(Property)).Concat(fields.Select(Field));
    }

    private static bool IsVisible(MethodBase method) =>
        method.IsPublic || ((method.IsFamily || method.IsFamilyOrAssembly) && method.DeclaringType is { IsSealed: false });

    private static bool IsGenerated(MemberInfo member) => member.IsDefined(typeof(CompilerGeneratedAttribute)) || member.Name is "<Clone>$" or "Deconstruct" or "EqualityContract" or "PrintMembers";

    private static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    private static bool IsOfObject(MethodInfo method) => method.GetBaseDefinition().DeclaringType == typeof(object);

    private static string Access(MethodBase method) => (method.IsPublic ? "" : "protected ") + (method.IsStatic ? "static " : "");

    private static string Method(MethodInfo method)
    {
        var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : "";
        return $"{Access(method)}{method.Name}{generic}({SurfaceNames.Parameters(method)}) -> {SurfaceNames.Of(method.ReturnParameter)}"
            + SurfaceNames.Constraints(method.GetGenericArguments());
    }

    private static string Property(PropertyInfo property)
    {
        var set = property.SetMethod is { } setter && IsVisible(setter)
            ? setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;"
            : "";
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        return $"{Access(property.GetAccessors(nonPublic: true).First(IsVisible))}{required}{SurfaceNames.Of(property)} {property.Name} {{ get;{set} }}";
    }

    private static string Field(FieldInfo field) => field.IsLiteral
        ? $"const {SurfaceNames.Of(field)} {field.Name} = {field.GetRawConstantValue()}"
        : $"{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{SurfaceNames.Of(field)} {field.Name}";
}

/// <summary>A type as callers see it.</summary>
internal sealed record SurfaceType(SurfaceHead Head, IReadOnlyList<string> Members);

/// <summary>Kind, name and constraints of a type, and the types it directly derives from.</summary>
internal sealed record SurfaceHead(string Declaration, IReadOnlyList<string> Parents);
