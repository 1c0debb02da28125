import ArgumentParser
import SegNetServer
import SegNetToolkit

extension ServerOptions {
    private static let prefix = "SEGNET_SERVER_"

    /// - Parameter environment: All variables of the process; those that are empty count as not set.
    /// - Throws: `ValidationError` naming the option or variable, what was found and what is needed; `ServiceError` for the token file.
    func settings(environment: [String: String]) throws -> ServerSettings {
        var settings = ServerSettings()
        let options = givenOptions
        let variables = options.map { Self.prefix + $0.name.uppercased().replacing("-", with: "_") }
        for name in environment.keys.sorted() where name.hasPrefix(Self.prefix) && !variables.contains(name) {
            let hint = closestName(to: name, among: variables).map { " Did you mean \($0)?" } ?? ""
            throw ValidationError(
                "The environment has \(name), which is not an option.\(hint) 'segnet-server --help' lists them."
            )
        }
        for (option, variable) in zip(options, variables) {
            var changes = option.changes
            if changes.isEmpty, let text = environment[variable], !text.isEmpty {
                do { changes = try option.changes(text) } catch {
                    throw ValidationError("\(variable): \(Self.message(for: error))")
                }
            }
            for change in changes { change.apply(&settings) }
        }
        // Room for eight of the largest bodies, or two of the largest videos.
        settings.configuration.limits.heldBytes =
            max(8 * settings.configuration.limits.bytes, 2 * settings.configuration.videos.bytes)
        settings.configuration.limits.sendTime = settings.configuration.limits.idleTime
        settings.configuration.token = try settings.tokenFile.map { try BearerToken(file: $0) }
        return settings
    }

    /// All options with what was given for them. By reflection: none that is declared can be forgotten here.
    private var givenOptions: [GivenOption] {
        Mirror(reflecting: self).children.compactMap { child in
            guard let property = child.label?.dropFirst() else { return nil }
            let name = property.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
            switch child.value {
            case let option as Option<SettingChange?>:
                return GivenOption(name: name, kind: .value, changes: option.wrappedValue.map { [$0] } ?? [])
            case let list as Option<[SettingChange]>:
                return GivenOption(name: name, kind: .list, changes: list.wrappedValue)
            case let flag as Flag<Bool?>:
                let change = flag.wrappedValue.map { value in SettingChange { $0.bundled = value } }
                return GivenOption(name: name, kind: .flag, changes: change.map { [$0] } ?? [])
            default: return nil
            }
        }
    }

    private struct GivenOption {
        enum Kind { case value, list, flag }
        let name: String
        let kind: Kind
        let changes: [SettingChange]

        /// The changes that the text of its variable makes; the command line's parser reads it.
        func changes(_ text: String) throws -> [SettingChange] {
            let arguments: [String]
            switch kind {
            case .value: arguments = ["--\(name)=\(text)"]
            case .list: arguments = text.split(separator: ",").map { "--\(name)=\($0)" }
            case .flag:
                guard let isOn = Bool(text) else {
                    throw ValidationError("Please give true or false; found '\(text)'.")
                }
                arguments = [isOn ? "--\(name)" : "--no-\(name)"]
            }
            return try ServerOptions.parse(arguments).givenOptions.first { $0.name == name }?.changes ?? []
        }
    }
}
