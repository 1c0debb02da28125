import ArgumentParser
import SegNetToolkit

struct RecipeList: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the recipes and comparison plans that come with the package.",
        discussion: """
            Each can be named in place of a file: 'segnet train --config NAME', 'segnet compare NAME'. They are looked for \
            in the folders of SEGNET_RECIPES and SEGNET_PLANS, next to the executable, and where 'make install' puts them. \
            Files and folders that they name are relative to where the command is run.

            EXAMPLES:
              segnet recipe list
              segnet recipe list --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    private struct Entry: Encodable {
        var kind: String
        var name: String
        var file: String
        var summary: String
    }

    func run(on console: Console) throws {
        let stores = RecipeStore.Kind.allCases.map { RecipeStore.standard($0) }
        if json {
            let entries = stores.flatMap { store in
                store.files.map { name, url in
                    Entry(
                        kind: store.kind.rawValue,
                        name: name,
                        file: url.path(percentEncoded: false),
                        summary: RecipeStore.summary(of: url)
                    )
                }
            }
            console.print(try JSON.text(entries))
            return
        }
        for store in stores {
            let files = store.files
            guard !files.isEmpty else {
                let folders = store.folders.map { $0.path(percentEncoded: false) }.joined(separator: ", ")
                console.note("there are no \(store.kind.rawValue)s in \(folders).")
                continue
            }
            console.print(
                store.kind == .recipe ? "Recipes (segnet train --config NAME):" : "Plans (segnet compare NAME):"
            )
            for (name, url) in files {
                console.print("  \(name)")
                let summary = RecipeStore.summary(of: url)
                if !summary.isEmpty { console.print("    \(summary)") }
            }
        }
    }
}
