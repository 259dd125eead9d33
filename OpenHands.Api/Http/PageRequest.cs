using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace OpenHands.Api.Http;

/// <summary>Which part of a list to answer with. A page goes on after the last item of the one before, so rows that come or go meanwhile move nothing.</summary>
public sealed class PageRequest
{
    private const int DefaultMost = 50;
    private const int CeilingMost = 100;

    /// <summary>What the page begins after: the `next_page_id` of the page before.</summary>
    [FromQuery(Name = "page_id")]
    public string? PageId { get; init; }

    /// <summary>Most items of the page, 1 to 100; 50 when it is not given.</summary>
    [FromQuery(Name = "limit")]
    public int? Limit { get; init; }

    /// <summary>What is wrong with the request; null for nothing.</summary>
    internal ProblemHttpResult? Problem => ProblemFor(EntityIdConstraint.IsId);

    internal string After => PageId ?? "";

    /// <summary>How many rows to read: one more than the page holds tells whether another follows.</summary>
    internal int Most => Size + 1;

    private int Size => Limit ?? DefaultMost;

    /// <summary>The same for a list that goes on after something else than an id.</summary>
    internal ProblemHttpResult? ProblemFor(Func<string, bool> isPageId) => PageId is not null && !isPageId(PageId)
        ? TypedResults.Problem("page_id must be the next_page_id of another page.", statusCode: StatusCodes.Status422UnprocessableEntity)
        : Limit is < 1 or > CeilingMost
            ? TypedResults.Problem($"limit must be 1 to {CeilingMost}.", statusCode: StatusCodes.Status422UnprocessableEntity)
            : null;

    internal Page<T> Of<T>(IReadOnlyList<T> rows, Func<T, string> id) =>
        rows.Count > Size ? new Page<T>([.. rows.Take(Size)], id(rows[Size - 1])) : new Page<T>(rows, NextPageId: null);
}

/// <summary>A part of a list.</summary>
/// <param name="Items">At most as many as were asked for.</param>
/// <param name="NextPageId">Asks for the page after this; null on the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextPageId);
