System.Console.WriteLine(new Projects.OpenHands_Api().ProjectPath);
System.Console.WriteLine(Projects.OpenHands_AppHost.ProjectPath);
foreach (var a in System.Reflection.CustomAttributeExtensions.GetCustomAttributes<System.Reflection.AssemblyMetadataAttribute>(typeof(Projects.OpenHands_AppHost).Assembly)) System.Console.WriteLine(a.Key + "=" + a.Value);
