using OpenHands.Api;

await ApiApplication.Build(args).RunAsync();
