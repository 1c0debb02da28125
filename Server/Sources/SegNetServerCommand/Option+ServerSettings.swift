import ArgumentParser
import SegNetToolkit

/// How a given option changes the settings.
struct SettingChange: Sendable {
    let apply: @Sendable (inout ServerSettings) -> Void
}

// With these an option is declared once: what it sets (whose value in new `ServerSettings` is the default), what it may be, what it is for.
// Its name, here and in the environment, is the property's.
extension Option {
    init<Setting: Sendable>(
        _ path: any WritableKeyPath<ServerSettings, Setting> & Sendable,
        _ form: OptionForm<Setting>,
        _ help: String
    ) where Value == SettingChange? {
        let standard = form.text(ServerSettings()[keyPath: path])
        self.init(
            help: ArgumentHelp("\(help) (default: \(standard))", valueName: form.name),
            completion: form.completion,
            transform: { text in
                let value = try form.parse(text)
                return SettingChange { $0[keyPath: path] = value }
            }
        )
    }

    /// A setting without a default.
    init<Setting: Sendable>(
        _ path: any WritableKeyPath<ServerSettings, Setting?> & Sendable,
        _ form: OptionForm<Setting>,
        _ help: String
    ) where Value == SettingChange? {
        self.init(
            help: ArgumentHelp("\(help)", valueName: form.name),
            completion: form.completion,
            transform: { text in
                let value = try form.parse(text)
                return SettingChange { $0[keyPath: path] = value }
            }
        )
    }

    /// An option that may be repeated.
    init(
        each path: any WritableKeyPath<ServerSettings, [String]> & Sendable,
        _ form: OptionForm<String>,
        _ help: String
    ) where Value == [SettingChange] {
        self.init(
            wrappedValue: [],
            help: ArgumentHelp("\(help)", valueName: form.name),
            completion: form.completion,
            transform: { text in SettingChange { $0[keyPath: path].append(text) } }
        )
    }
}
