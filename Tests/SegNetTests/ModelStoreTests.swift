import Foundation
import SegNetFormats
import SegNetNetworks
import SegNetToolkit
import Testing

@testable import SegNet

@Suite("Bundled models")
struct ModelStoreTests {
    static func folder(_ names: [String]) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "segnet-models-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let network = Architectures.segNetBasic(classes: 2, options: ArchitectureOptions(width: 0.25))
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 1))
        for name in names { try SafetensorsFile.write(model, to: url.appending(path: "\(name).safetensors")) }
        return url
    }

    @Test("are found by name, an earlier folder's first")
    func names() throws {
        let (first, second) = (try Self.folder(["a", "b"]), try Self.folder(["b", "c"]))
        defer { for url in [first, second] { try? FileManager.default.removeItem(at: url) } }
        let store = ModelStore(folders: [first, second])
        #expect(store.models.map(\.name) == ["a", "b", "c"])
        #expect(store.url(of: "b")?.deletingLastPathComponent().lastPathComponent == first.lastPathComponent)
        #expect(try store.resolve("c").lastPathComponent == "c.safetensors")
        #expect(try store.resolve("some/file.safetensors").relativePath == "some/file.safetensors")
    }

    @Test("stand for an encoder too, as for the model of a recipe")
    func encoder() throws {
        var recipe = TrainingConfiguration()
        recipe.encoder = "no-such-encoder"
        #expect {
            try recipe.resolveModels()
        } throws: {
            "\($0)".hasPrefix("encoder: no-such-encoder: is neither a file nor a bundled model.")
        }
        recipe.encoder = "vgg16.safetensors"
        recipe.model = "segnet-streets"
        try recipe.resolveModels()
        #expect(recipe.encoder == "vgg16.safetensors")
        #expect(recipe.model?.hasSuffix("/segnet-streets.safetensors") == true)
    }

    @Test("may have a dot in their name; other texts with a dot are files")
    func dots() throws {
        let folder = try Self.folder(["camvid-0.5"])
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = ModelStore(folders: [folder])
        #expect(store.isName("camvid-0.5") && !store.isName("camvid-0.6"))
        #expect(try store.resolve("camvid-0.5").lastPathComponent == "camvid-0.5.safetensors")
        #expect(try store.resolve("camvid-0.6").relativePath == "camvid-0.6")
    }

    @Test(
        "are suggested by how they begin before others are by a few letters",
        arguments: ["segnet-basic", "segnet-b"]
    )
    func beginning(text: String) throws {
        let folder = try Self.folder(["segnet-basic-camvid", "segnet-camvid"])
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect {
            try ModelStore(folders: [folder]).resolve(text)
        } throws: {
            "\($0)".contains("Did you mean 'segnet-basic-camvid'? ")
        }
    }

    @Test("that are not there are told with the names that are")
    func unknown() throws {
        let folder = try Self.folder(["camvid"])
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect {
            try ModelStore(folders: [folder]).resolve("camvit")
        } throws: {
            "\($0)" == "camvit: is neither a file nor a bundled model. Did you mean 'camvid'? There are camvid."
        }
        #expect {
            try ModelStore(folders: []).fallback()
        } throws: {
            "\($0)" == "segnet-streets: no model was named, and none of the bundled ones is installed. "
                + "Give a model file, or the folder of models in SEGNET_MODELS."
        }
    }
}
