import ArgumentParser

/// A subcommand that writes to a console, so that tests can run it in their own process and read what it wrote.
protocol ConsoleCommand: ParsableCommand {
    func run(on console: Console) throws
}

extension ConsoleCommand {
    func run() throws { try run(on: .standard) }
}
