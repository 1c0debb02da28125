import ArgumentParser

/// Writes manual pages (`man segnet-predict`), made from the parser as the help is; `make install` calls it.
struct Manual: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the manual pages.",
        discussion: """
            EXAMPLES:
              segnet manual --output /usr/local/share/man/man1
            """,
        shouldDisplay: false
    )

    @Option(help: ArgumentHelp("The folder; made if it is missing.", valueName: "folder"), completion: .directory)
    var output: String

    func run(on console: Console) throws {
        try OutputFolder.make(output)
        for (name, text) in Self.pages { try OutputFolder.write(text, to: "\(output)/\(name).1") }
    }

    /// A page for the command and for each subcommand, those of groups too: name and text.
    static var pages: [(name: String, text: String)] { pages(of: SegNetCommand.self, path: ["segnet"]) }

    private static func pages(of command: any ParsableCommand.Type, path: [String]) -> [(name: String, text: String)] {
        let name = path.joined(separator: "-")
        let subcommands = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
        return [(name, page(of: command, name: name))]
            + subcommands.flatMap { pages(of: $0, path: path + [$0._commandName]) }
    }

    /// In the language of man(7): the sections of the help, word for word.
    private static func page(of command: any ParsableCommand.Type, name: String) -> String {
        let help = SegNetCommand.helpMessage(for: command, columns: 72)
        var lines = [
            ".TH \"\(escaped(name.uppercased()))\" 1 \"\" \"segnet \(SegNetCommand.configuration.version)\"",
            ".SH NAME", "\(escaped(name)) \\- \(escaped(command.configuration.abstract))",
        ]
        var isOpen = false
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            // "OPTIONS:", "USAGE: segnet ..."; the abstract stands under NAME.
            let title = line.prefix { $0.isUppercase || $0 == " " }
            if !title.isEmpty, line.first?.isUppercase == true, line.dropFirst(title.count).first == ":" {
                let rest = line.dropFirst(title.count + 1).drop { $0 == " " }
                if isOpen { lines.append(".fi") }
                lines += [
                    ".SH \(title == "OVERVIEW" ? "DESCRIPTION" : title == "USAGE" ? "SYNOPSIS" : "\(title)")", ".nf",
                ]
                isOpen = true
                if !rest.isEmpty { lines.append(escaped(String(rest))) }
            } else {
                lines.append(escaped(String(line)))
            }
        }
        if isOpen { lines.append(".fi") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text as man(7) prints it unchanged.
    private static func escaped(_ text: String) -> String {
        let text = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }
}
