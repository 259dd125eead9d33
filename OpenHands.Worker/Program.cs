using OpenHands.Worker;

return await WorkerProgram.RunAsync(args, Console.Out, Console.Error);
