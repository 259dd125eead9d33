using Microsoft.Extensions.Options;
using OpenHands.Api;

try
{
    await ApiApplication.Build(args).RunAsync();
    return 0;
}
catch (Exception invalid) when (invalid is OptionsValidationException or InvalidOperationException or AggregateException { InnerException: OptionsValidationException })
{
    await Console.Error.WriteLineAsync($"The API cannot start: {invalid.Message}");
    return 1;
}
