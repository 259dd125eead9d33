namespace OpenHands.Api.Http;

/// <summary>The route constraint `id`: 32 lower-case hex digits. Anything else has no row, so it is 404 before anybody is asked.</summary>
internal sealed class EntityIdConstraint : IRouteConstraint
{
    /// <summary>Name in route patterns.</summary>
    public const string Name = "id";

    /// <inheritdoc/>
    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        IsId(values[routeKey] as string);

    /// <summary>Whether the text can be the id of a row.</summary>
    public static bool IsId(string? text) => text?.Length == 32 && text.All(char.IsAsciiHexDigitLower);
}
