import ArgumentParser
import SegNetToolkit

/// A subcommand that writes to a console, so that tests can run it in their own process and read what it wrote.
protocol ConsoleCommand: ParsableCommand {
    func run(on console: Console) throws
}

extension ConsoleCommand {
    func run() throws {
        try execute(on: .standard)
        try Console.standard.requireOutput()
    }

    /// Runs with the library's errors in the command's words. A wrong choice in the environment is refused here, before a command reads
    /// anything.
    func execute(on console: Console) throws {
        do {
            _ = try InstructionSet.chosen()
            _ = try InferenceOptions.Accuracy.chosen()
            try run(on: console)
        } catch {
            throw CommandError(error) ?? error
        }
    }
}
