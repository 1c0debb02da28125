import Foundation
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("Recipes by name")
struct RecipeStoreTests {
    private static func folder(_ files: [String: String]) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "segnet-recipes-\(UInt64.random(in: 0 ... .max))"
        )
        for (name, text) in files {
            let file = url.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: file)
        }
        return url
    }

    @Test("are the files of a folder and of those in it, an earlier folder's first")
    func names() throws {
        let first = try Self.folder(["b.yaml": "", "b.txt": "", "deep/a.yaml": "", ".c.yaml": ""])
        let second = try Self.folder(["a.yaml": "", "b.yaml": ""])
        defer { for url in [first, second] { try? FileManager.default.removeItem(at: url) } }
        let store = RecipeStore(.recipe, folders: [first, second, URL(filePath: "/nowhere")])
        #expect(store.files.map(\.name) == ["a", "b", "deep/a"])
        #expect(try store.resolve("b") == first.appending(path: "b.yaml").path)
        #expect(try store.resolve("deep/a") == first.appending(path: "deep/a.yaml").path)
    }

    @Test("leave paths as they are, there or not", arguments: ["c.yaml", "some/other/a", "/dev/null", "./a"])
    func paths(text: String) throws {
        let folder = try Self.folder(["a.yaml": "", "null.yaml": ""])
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(try RecipeStore(.recipe, folders: [folder]).resolve(text) == text)
    }

    @Test(
        "are offered for a path that leads to none in this folder",
        arguments: ["a.yaml", "recipes/a.yaml", "/x/deep/a.yaml"]
    )
    func packagePaths(text: String) throws {
        let folder = try Self.folder(["a.yaml": "", "deep/a.yaml": ""])
        defer { try? FileManager.default.removeItem(at: folder) }
        let error = #expect(throws: ConfigurationError.self) {
            try RecipeStore(.recipe, folders: [folder]).resolve(text)
        }
        #expect(
            error?.description
                == "\(text): there is no such file. Did you mean 'a', the recipe that comes with the package?"
        )
    }

    @Test("may have a dot in their name")
    func dots() throws {
        let folder = try Self.folder(["basic-0.5.yaml": ""])
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = RecipeStore(.recipe, folders: [folder])
        #expect(try store.resolve("basic-0.5") == folder.appending(path: "basic-0.5.yaml").path)
        #expect(try store.resolve("basic-0.6") == "basic-0.6")
    }

    @Test("that are none get the closest one", arguments: [("basik", "basic"), ("fcn-8s", "deep/fcn-8s")])
    func unknown(text: String, closest: String) throws {
        let folder = try Self.folder(["basic.yaml": "", "deep/fcn-8s.yaml": ""])
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect {
            try RecipeStore(.plan, folders: [folder]).resolve(text)
        } throws: {
            "\($0)"
                == "\(text): is neither a file nor the name of a plan that comes with the package. Did you mean '\(closest)'? See the list "
                + "of all recipes and plans."
        }
    }

    @Test(
        "say what they are in the first sentence of their comment",
        arguments: [
            ("# One. Two.\n# Three.\nepochs: 3\n# Four", "One."),
            ("# One (a.yaml)\n# goes on.\n", "One (a.yaml) goes on."),
            ("epochs: 3\n# One.", ""), ("", ""),
        ]
    )
    func summary(text: String, sentence: String) throws {
        let folder = try Self.folder(["a.yaml": text])
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(RecipeStore.summary(of: folder.appending(path: "a.yaml")) == sentence)
    }

    @Test("of the repository all say what they are", arguments: RecipeStore.Kind.allCases)
    func repository(kind: RecipeStore.Kind) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let files = RecipeStore(kind, folders: [root.appending(path: "\(kind.rawValue)s")]).files
        #expect(files.count > 5)
        for (name, url) in files { #expect(!RecipeStore.summary(of: url).isEmpty, "\(name)") }
    }
}
