using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenHands.Storage.Audit;

/// <summary>The audit log with its chain as a file of JSON lines, which can be verified far from the database.</summary>
public sealed class AuditFile(string path) : IAuditSource
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Writes everything that another source has.</summary>
    /// <returns>How many lines were written.</returns>
    public static async Task<long> WriteAsync(IAuditSource source, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(output);
        long lines = 0;
        await foreach (var seal in source.SealsAsync(cancellationToken))
            await WriteAsync(new Line(seal, null));
        await foreach (var audited in source.SealedAsync(cancellationToken))
            await WriteAsync(new Line(null, audited));
        await foreach (var audited in source.UnsealedAsync(cancellationToken))
            await WriteAsync(new Line(null, audited));
        return lines;

        async Task WriteAsync(Line line)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(line, Json).AsMemory(), cancellationToken);
            lines++;
        }
    }

    /// <summary>One event as a line of an export.</summary>
    public static string ToLine(AuditEvent audited) => JsonSerializer.Serialize(audited, Json);

    /// <inheritdoc />
    public IAsyncEnumerable<AuditSeal> SealsAsync(CancellationToken cancellationToken) => ReadAsync(line => line.Seal, cancellationToken);

    /// <inheritdoc />
    public IAsyncEnumerable<AuditEvent> SealedAsync(CancellationToken cancellationToken) =>
        ReadAsync(line => line.Event is { Position: not null } audited ? audited : null, cancellationToken);

    /// <inheritdoc />
    public IAsyncEnumerable<AuditEvent> UnsealedAsync(CancellationToken cancellationToken) =>
        ReadAsync(line => line.Event is { Position: null } audited ? audited : null, cancellationToken);

    private async IAsyncEnumerable<T> ReadAsync<T>(Func<Line, T?> pick, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var number = 0;
        await foreach (var text in File.ReadLinesAsync(path, cancellationToken))
        {
            number++;
            if (pick(Parse(text, number)) is { } picked)
                yield return picked;
        }
    }

    private static Line Parse(string text, int number)
    {
        try
        {
            if (JsonSerializer.Deserialize<Line>(text, Json) is { } line && (line.Seal is null) != (line.Event is null))
                return line;
        }
        catch (JsonException)
        {
        }

        throw new FormatException($"Line {number} is no line of an audit file.");
    }

    private sealed record Line(AuditSeal? Seal, AuditEvent? Event);
}
