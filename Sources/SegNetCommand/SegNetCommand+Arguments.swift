import ArgumentParser
import SegNetToolkit

extension SegNetCommand {
    static func main() {
        Console.reserveDescriptors()
        StopRequest.outliveReaders()
        let arguments = RawFileName.arguments
        do {
            let words = try words(arguments)
            if words.contains(quiet) { Console.standard.beQuiet() }
            var command = try parseAsRoot(words.filter { $0 != quiet })
            try command.run()
        } catch { end(error, arguments) }
    }

    /// Ends the program as the error says. Help and the like are printed as any other result is, so that it is told where they get lost.
    private static func end(_ error: any Error, _ arguments: [String]) -> Never {
        if let error = error as? ValidationError {
            _ = StandardStream.write(Self.text(of: error, arguments), to: 2)
            exit(withError: ExitCode.validationFailure)
        }
        let text = fullMessage(for: error)
        guard exitCode(for: error) == .success, !text.isEmpty else { exit(withError: error) }
        Console.standard.print(text)
        do { try Console.standard.requireOutput() } catch { exit(withError: error) }
        exit()
    }

    /// A mistake in the words that a command found itself, with the usage of that command: the parser, which shows it with mistakes of its
    /// own, would show that of the whole program.
    static func text(of error: ValidationError, _ arguments: [String]) -> String {
        var command: any ParsableCommand.Type = SegNetCommand.self
        var path = ["segnet"]
        for word in arguments where word != "help" {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else { break }
            command = next
            path.append(word)
        }
        return """
            Error: \(error.message)
            Usage: \(usageString(for: command))
              See '\(path.joined(separator: " ")) --help' for more information.

            """
    }

    /// Understood behind every subcommand.
    static let quiet = "--quiet"

    /// The words of a command line as the parser understands them.
    ///
    /// What begins like a number below 0 behind an option is its value: `--threads -1` becomes `--threads=-1`, and `--mean -1,2,3` too. The
    /// parser would call the value missing.
    /// - Throws: `ValidationError` for what it would misread: a file name that begins with a dash, which can contain the letter of `-h`,
    ///   a word in the place of a command that is none, and an empty word.
    static func words(_ arguments: [String]) throws -> [String] {
        try checkEmptyWords(arguments)
        let command = try checkCommand(arguments)
        let words = try understood(arguments)
        try checkRawNames(words, isPredict: command is Predict.Type)
        try checkQuiet(words)
        if command is any DatasetReader.Type { try checkDataset(words) }
        if command is Train.Type || command is Compare.Type {
            try checkSettings(words, hasOptions: command is Train.Type)
        }
        return words
    }

    private static func understood(_ arguments: [String]) throws -> [String] {
        var words: [String] = []
        for (index, word) in arguments.enumerated() {
            if word == "--" { return words + arguments[index...] }
            if beginsLikeNumber(word), let option = words.last, option.hasPrefix("--"), !option.contains("=") {
                words[words.count - 1] = "\(option)=\(word)"
                continue
            }
            if word.hasPrefix("-"), !word.hasPrefix("--"), word.count > 2, Double(word) == nil {
                throw ValidationError(
                    "'\(RawFileName.display(word))' begins with a dash, as options do; for a file of that name write './\(RawFileName.display(word))'."
                )
            }
            words.append(word)
        }
        return words
    }

    /// `-1`, `-.5`, `-1,2,3`, `-480x360`, `-inf`, but not the file `-1.png`.
    private static func beginsLikeNumber(_ word: String) -> Bool {
        guard word.hasPrefix("-") else { return false }
        let isOfNumbers = word.contains(where: \.isNumber) && word.allSatisfy { "+-.,xX0123456789eE".contains($0) }
        return Double(word) != nil || isOfNumbers
    }

    /// Options whose value may be empty: a text that replaces a recipe's.
    private static let mayBeEmpty: Set<String> = ["--label-suffix"]

    /// A shell leaves an empty word where a variable in quotes is not set. As a folder it would stand for `/`, or for the working folder.
    private static func checkEmptyWords(_ arguments: [String]) throws {
        for (index, word) in arguments.enumerated() {
            let isOption = word.hasPrefix("--") && word.firstIndex(of: "=") == word.indices.last
            guard word.isEmpty || isOption else { continue }
            let before = isOption ? String(word.dropLast()) : index > 0 ? arguments[index - 1] : "segnet"
            guard !mayBeEmpty.contains(before) else { continue }
            throw ValidationError(
                "'\(RawFileName.display(before))' is followed by an empty word (''), perhaps from a variable that is not set. Please "
                    + "write a value there."
            )
        }
    }

    /// Pictures, and lists of them, are opened under names of any bytes; models, recipes and folders of results only under names in UTF-8.
    private static func checkRawNames(_ words: [String], isPredict: Bool) throws {
        for (index, word) in words.enumerated() where RawFileName.isRaw(word) {
            let option = word.hasPrefix("--") ? String(word.prefix { $0 != "=" }) : index > 0 ? words[index - 1] : ""
            guard !isPredict || ["--model", "--network", "--output"].contains(option) else { continue }
            throw ValidationError(
                "The name '\(RawFileName.display(word))' contains bytes that are not UTF-8. Pictures and lists of them may have such names; "
                    + "please rename this, or make a link to it with another name."
            )
        }
    }

    /// The command that is meant.
    private static func checkCommand(_ arguments: [String]) throws -> any ParsableCommand.Type {
        var command: any ParsableCommand.Type = SegNetCommand.self
        var path = "segnet"
        for word in arguments {
            let known = command.configuration.subcommands
            guard !known.isEmpty, !word.hasPrefix("-") else { return command }
            // 'segnet help tune crf' names its command as 'segnet tune crf' does.
            if word == "help" { continue }
            if let next = known.first(where: { $0._commandName == word }) {
                command = next
                path += " \(word)"
                continue
            }
            guard command.configuration.defaultSubcommand == nil else { return command }
            let names = known.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
            let shown = RawFileName.display(word)
            if let closest = closestName(to: word, among: names) {
                throw ValidationError("There is no command '\(path) \(shown)'. Did you mean '\(path) \(closest)'?")
            }
            // A file's name, of one that is there or not: no command has a dot.
            if path == "segnet", word.contains(".") || FileAccess.kind(of: word) != .missing {
                throw ValidationError(
                    "To segment pictures, write 'segnet predict \(shown)'; 'segnet \(shown)' names no command."
                )
            }
            throw ValidationError("There is no command '\(path) \(shown)'; there are \(names.joined(separator: ", ")).")
        }
        return command
    }

    /// What to add where the kind of the data set is missing.
    /// - Parameter folder: The data's folder, if one was given.
    static func missingDataset(_ folder: String?) -> ValidationError {
        let kinds = DatasetKind.allCases.map(\.rawValue)
        let guess = folder.flatMap {
            DatasetKind.recognized(in: $0)?.rawValue
                ?? closestName(to: URL(filePath: $0).lastPathComponent.lowercased(), among: kinds)
        }
        return ValidationError(
            "Please say with '--dataset' what kind of data set \(folder.map { "'\(RawFileName.display($0))'" } ?? "it") is, for "
                + "example '--dataset \(guess ?? DatasetKind.folder.rawValue)'. There are \(kinds.joined(separator: ", "))."
        )
    }

    /// The parser does not know `--quiet`, and would take another option for what was meant.
    private static func checkQuiet(_ words: [String]) throws {
        let isNear = { (word: String) in
            word.hasPrefix("--") && word != quiet && closestName(to: word, among: [quiet]) != nil
        }
        guard let word = words.first(where: isNear),
            let problem = problem(with: words), problem.contains("Unknown option '\(word)'")
        else { return }
        throw ValidationError("Unknown option '\(word)'. Did you mean '\(quiet)'?")
    }

    /// What the parser says of words that it does not understand; nil if it understands them.
    private static func problem(with words: [String]) -> String? {
        do { _ = try parseAsRoot(words.filter { $0 != quiet }) } catch { return message(for: error) }
        return nil
    }

    /// Leads an option that is none to the setting that it names: `--lr` to `--learning-rate`, `--wd` to `--set`.
    /// The parser offers the option with the fewest other letters.
    /// - Parameter hasOptions: Whether the command has options for some settings.
    private static func checkSettings(_ words: [String], hasOptions: Bool) throws {
        let names = words.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2).prefix { $0 != "=" }) }
        let meant = names.compactMap { name in RecipeTable.path(meantBy: name).map { (name: name, path: $0) } }
            .filter { !hasOptions || RecipeOptions.option(of: $0.path) != "--\($0.name)" }
        guard !meant.isEmpty, let problem = problem(with: words),
            let (name, path) = meant.first(where: { problem.contains("Unknown option '--\($0.name)'") })
        else { return }
        let isGroup = TrainingConfiguration.setting(path)?.settings.isEmpty == false
        let option = hasOptions ? RecipeOptions.option(of: path) : nil
        throw ValidationError(
            "There is no option '--\(name)'. Did you mean '\(option ?? "--set \(path)\(isGroup ? ".KEY" : "")=VALUE")'? "
                + "'segnet recipe explain \(path)' says what it takes."
        )
    }

    /// Says what to add where the kind of the data set is missing: the folder alone does not tell it, as in 'segnet train'. Also where the
    /// folder has no option in front of it.
    private static func checkDataset(_ words: [String]) throws {
        func value(of option: String) -> String? {
            for (index, word) in words.enumerated() {
                if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
                if word == option, index + 1 < words.count { return words[index + 1] }
            }
            return nil
        }
        guard let problem = problem(with: words) else { return }
        let extra = words.first { problem.contains("Unexpected argument '\($0)'") }
        if let extra, value(of: "--data") == nil {
            throw ValidationError(
                "Please give the data set's folder with '--data': '--data \(RawFileName.display(extra))'."
            )
        }
        // Whatever else is wrong is said first.
        guard problem.contains("Missing expected argument '--dataset") else { return }
        throw missingDataset(value(of: "--data"))
    }
}
