using OpenHands.Cli;

return await OperatorProgram.RunAsync(args, Console.Out, Console.Error);
