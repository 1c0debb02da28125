import ArgumentParser
import SegNetToolkit

struct Models: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the models that come with the package.",
        discussion: """
            Each can be named in place of a file: 'segnet predict photo.jpg --model NAME'. They are looked for in the \
            folders of SEGNET_MODELS, next to the executable, and where 'make install' puts them. docs/models/ has a card \
            for each.

            EXAMPLES:
              segnet models
              segnet models --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    private struct Entry: Encodable {
        var name: String
        var file: String
        var bytes: Int
        var isDefault: Bool
        var classes: [String]
        var notes: [String: String]
    }

    func run(on console: Console) throws {
        let store = ModelStore.standard
        var entries: [Entry] = []
        var failures = 0
        for (name, url) in store.models {
            do {
                entries.append(try entry(name, url))
            } catch {
                failures += 1
                console.error("\(error)")
            }
        }
        if json { console.print(try JSON.text(entries)) } else { list(entries, on: console) }
        if entries.isEmpty, failures == 0, !json {
            console.note(
                "there are no bundled models in \(store.folders.map { $0.path(percentEncoded: false) }.joined(separator: ", "))."
            )
        }
        if failures > 0 { throw ExitCode.failure }
    }

    private func entry(_ name: String, _ url: URL) throws -> Entry {
        let model = try LoadedModel(url).model
        return Entry(
            name: name,
            file: url.path(percentEncoded: false),
            bytes: (try? FileSize.bytes(url)) ?? 0,
            isDefault: name == ModelStore.defaultName,
            classes: model.metadata.classNames ?? [],
            notes: model.metadata.notes
        )
    }

    private func list(_ entries: [Entry], on console: Console) {
        for entry in entries {
            console.print(
                "\(entry.name)\(entry.isDefault ? " (default)" : ""): \(Numbers.mebibytes(entry.bytes)), "
                    + counted(entry.classes.count, "class", plural: "classes")
            )
            for (key, text) in entry.notes.sorted(by: { $0.key < $1.key }) { console.print("  \(key): \(text)") }
            console.print("  file: \(entry.file)")
        }
    }
}
