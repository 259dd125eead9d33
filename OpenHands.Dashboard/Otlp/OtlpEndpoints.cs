using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Google.Protobuf;
using Microsoft.AspNetCore.RateLimiting;
using OpenHands.Dashboard.Otlp.Protocol;

namespace OpenHands.Dashboard.Otlp;

/// <summary>Telemetry comes in here: over gRPC and, as protobuf, over HTTP, each on a port of its own and with the key.</summary>
internal static class OtlpEndpoints
{
    /// <summary>The largest export that is read, unpacked.</summary>
    public const int LargestExport = 4 * 1024 * 1024;

    private const string KeyHeader = "x-otlp-api-key";
    private const string Protobuf = "application/x-protobuf";
    private const string Intake = "otlp";
    private const int AtOnce = 1;
    private const int Waiting = 200;

    /// <summary>Adds what takes telemetry: one export at a time, so that a flood waits or is told to come again.</summary>
    public static void AddOtlp(this IServiceCollection services)
    {
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = LargestExport);
        services.AddRequestDecompression();
        services.AddSingleton<LogsReceiver>();
        services.AddSingleton<TraceReceiver>();
        services.AddSingleton<MetricsReceiver>();
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limits.AddConcurrencyLimiter(Intake, limit =>
            {
                (limit.PermitLimit, limit.QueueLimit, limit.QueueProcessingOrder) = (AtOnce, Waiting, QueueProcessingOrder.OldestFirst);
            });
        });
    }

    /// <summary>Keeps each port to what belongs there, and asks senders for the key.</summary>
    public static void UseOtlpPorts(this WebApplication app, DashboardOptions options)
    {
        var expected = Encoding.UTF8.GetBytes(options.OtlpApiKey);
        app.Use(async (context, next) =>
        {
            var isIntakePort = context.Connection.LocalPort == options.OtlpGrpcUrl.Port || context.Connection.LocalPort == options.OtlpHttpUrl.Port;
            if (isIntakePort != IsIntake(context.Request.Path))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
            }
            else if (isIntakePort && !HasKey(context.Request, expected))
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            }
            else
            {
                await next(context);
            }
        });
    }

    /// <summary>Maps the services.</summary>
    public static void MapOtlp(this WebApplication app)
    {
        app.MapGrpcService<LogsReceiver>().AllowAnonymous().RequireRateLimiting(Intake);
        app.MapGrpcService<TraceReceiver>().AllowAnonymous().RequireRateLimiting(Intake);
        app.MapGrpcService<MetricsReceiver>().AllowAnonymous().RequireRateLimiting(Intake);
        app.MapExport("/v1/logs", ExportLogsServiceRequest.Parser, app.Services.GetRequiredService<LogsReceiver>().Take);
        app.MapExport("/v1/traces", ExportTraceServiceRequest.Parser, app.Services.GetRequiredService<TraceReceiver>().Take);
        app.MapExport("/v1/metrics", ExportMetricsServiceRequest.Parser, app.Services.GetRequiredService<MetricsReceiver>().Take);
    }

    private static bool IsIntake(PathString path) =>
        path.StartsWithSegments("/v1") || path.Value?.StartsWith("/opentelemetry.proto.collector.", StringComparison.Ordinal) == true;

    private static bool HasKey(HttpRequest request, byte[] expected) =>
        request.Headers[KeyHeader] is [{ } given] && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), expected);

    private static void MapExport<TRequest, TResponse>(this WebApplication app, string path, MessageParser<TRequest> parser, Func<TRequest, TResponse> take)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse> =>
        app.MapPost(path, async context =>
        {
            if (context.Request.ContentType?.Split(';')[0].Trim() != Protobuf)
            {
                context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
                return;
            }

            try
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body, context.RequestAborted);
                var answer = take(parser.ParseFrom(body.GetBuffer().AsSpan(0, (int)body.Length)));
                context.Response.ContentType = Protobuf;
                await context.Response.Body.WriteAsync(answer.ToByteArray(), context.RequestAborted);
            }
            catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidDataException)
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
            }
            catch (BadHttpRequestException exception)
            {
                context.Response.StatusCode = exception.StatusCode;
            }
        }).AllowAnonymous().RequireRateLimiting(Intake);
}
