using Aspire.Hosting.ApplicationModel;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using OpenHands.Hosting.Dashboard.Protocol;

namespace OpenHands.Hosting.Dashboard;

/// <summary>Answers a dashboard: which resources there are and how they are, what they write, and what to do with them.</summary>
/// <param name="application">Its name.</param>
/// <param name="notifications">What the resources do.</param>
/// <param name="logs">What they write.</param>
/// <param name="messages">Puts a resource into the words of the protocol.</param>
/// <param name="commands">Starts, stops and restarts.</param>
/// <param name="lifetime">Ends the streams when the host stops.</param>
internal sealed class ResourceService(
    ApplicationName application, ResourceNotificationService notifications, ResourceLoggerService logs, ResourceMessages messages,
    ResourceCommands commands, IHostApplicationLifetime lifetime) : DashboardService.DashboardServiceBase
{
    /// <summary>A message of a client's default size limit (4 MB) holds at least this many characters.</summary>
    private const int CharactersInMessage = 1_000_000;

    /// <inheritdoc/>
    public override Task<ApplicationInformationResponse> GetApplicationInformation(ApplicationInformationRequest request, ServerCallContext context) =>
        Task.FromResult(new ApplicationInformationResponse { ApplicationName = application.Value });

    /// <inheritdoc/>
    public override Task WatchResources(WatchResourcesRequest request, IServerStreamWriter<WatchResourcesUpdate> responseStream, ServerCallContext context) =>
        UntilEndAsync(context, async ended =>
        {
            var feed = ResourceFeed.Follow(notifications, ended);
            var initial = new InitialResourceData();
            initial.Resources.AddRange(feed.Initial.Select(messages.Write));
            await responseStream.WriteAsync(new WatchResourcesUpdate { InitialData = initial }, ended).ConfigureAwait(false);
            while (true)
            {
                var changes = new WatchResourcesChanges();
                changes.Value.AddRange((await feed.NextAsync(ended).ConfigureAwait(false)).Select(change => new WatchResourcesChange { Upsert = messages.Write(change) }));
                await responseStream.WriteAsync(new WatchResourcesUpdate { Changes = changes }, ended).ConfigureAwait(false);
            }
        });

    /// <inheritdoc/>
    public override Task WatchResourceConsoleLogs(
        WatchResourceConsoleLogsRequest request, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream, ServerCallContext context) =>
        UntilEndAsync(context, async ended =>
        {
            // Asked first, since a backlog is made for every name that is watched.
            if (!notifications.TryGetCurrentState(request.ResourceName, out var known))
            {
                throw new RpcException(new Status(StatusCode.NotFound, $"There is no resource '{request.ResourceName}'."));
            }

            if (request.SuppressFollow)
            {
                await SendAsync(logs.GetAll(known.ResourceId), responseStream, ended).ConfigureAwait(false);
                return;
            }

            await foreach (var lines in logs.WatchBatchesAsync(known.ResourceId, ended).ConfigureAwait(false))
            {
                await SendAsync(lines, responseStream, ended).ConfigureAwait(false);
            }
        });

    /// <inheritdoc/>
    public override async Task<ResourceCommandResponse> ExecuteResourceCommand(ResourceCommandRequest request, ServerCallContext context)
    {
        var failure = await commands.ExecuteAsync(request.ResourceName, request.CommandName, context.CancellationToken).ConfigureAwait(false);
        return failure is null
            ? new ResourceCommandResponse { Kind = ResourceCommandResponseKind.Succeeded }
            : new ResourceCommandResponse { Kind = ResourceCommandResponseKind.Failed, ErrorMessage = failure };
    }

    /// <inheritdoc/>
    public override Task WatchInteractions(
        IAsyncStreamReader<WatchInteractionsRequestUpdate> requestStream, IServerStreamWriter<WatchInteractionsResponseUpdate> responseStream, ServerCallContext context) =>
        UntilEndAsync(context, async ended =>
        {
            // There is nothing to ask and so nothing that an answer could belong to.
            while (await requestStream.MoveNext(ended).ConfigureAwait(false))
            {
            }
        });

    private static async Task SendAsync(
        IReadOnlyList<LogLine> lines, IServerStreamWriter<WatchResourceConsoleLogsUpdate> responseStream, CancellationToken cancellationToken)
    {
        var update = new WatchResourceConsoleLogsUpdate();
        var characters = 0;
        foreach (var line in lines)
        {
            if (update.LogLines.Count > 0 && characters + line.Content.Length > CharactersInMessage)
            {
                await responseStream.WriteAsync(update, cancellationToken).ConfigureAwait(false);
                (update, characters) = (new WatchResourceConsoleLogsUpdate(), 0);
            }

            var text = line.Content.Length > CharactersInMessage ? line.Content[..CharactersInMessage] : line.Content;
            update.LogLines.Add(new ConsoleLogLine { Text = text, IsStdErr = line.IsErrorMessage, LineNumber = line.LineNumber });
            characters += text.Length;
        }

        if (update.LogLines.Count > 0)
        {
            await responseStream.WriteAsync(update, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Runs a stream until its client leaves or the host stops; neither is an error.</summary>
    private async Task UntilEndAsync(ServerCallContext context, Func<CancellationToken, Task> streamAsync)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await streamAsync(ended.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (ended.IsCancellationRequested && exception is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The stream was written to while it closed.
        }
    }
}
