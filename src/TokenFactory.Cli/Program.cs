using System.Text;
using TokenFactory.Cli;

Console.OutputEncoding = Encoding.UTF8;
return App.Run(args, Terminal.OfThisProcess());
