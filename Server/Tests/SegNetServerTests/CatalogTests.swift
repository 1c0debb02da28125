import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("Model catalogue")
final class CatalogTests {
    private let folder: URL
    private let store: ModelStore

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-catalog-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try SafetensorsFile.write(
            try TestModels.model(sampled: false),
            to: folder.appending(path: "bundled.safetensors")
        )
        store = ModelStore(folders: [folder])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    @Test("files come first, under their names or the one that is given; then the bundled models")
    func order() throws {
        let file = folder.appending(path: "bundled.safetensors").path
        let entries = try ModelCatalog.entries(named: ["night=\(file)", file], includesBundled: true, store: store)
        #expect(entries.map(\.name) == ["night", "bundled"])
        #expect(try ModelCatalog.entries(named: [], includesBundled: true, store: store).map(\.name) == ["bundled"])
        #expect(
            try ModelCatalog.entries(named: [file], includesBundled: false, store: store).map(\.name) == ["bundled"]
        )
        #expect(
            try ModelCatalog.entries(named: ["bundled"], includesBundled: false, store: store).map(\.name) == [
                "bundled"
            ]
        )
    }

    @Test(
        "the models of the paper's comparison and of rooms are served where they are named",
        arguments: ["segnet-camvid", "segnet-indoor"]
    )
    func byNameOnly(name: String) throws {
        let bundled = folder.appending(path: "bundled.safetensors")
        try FileManager.default.copyItem(at: bundled, to: folder.appending(path: "\(name).safetensors"))
        #expect(try ModelCatalog.entries(named: [], includesBundled: true, store: store).map(\.name) == ["bundled"])
        let named = try ModelCatalog.entries(named: [name], includesBundled: true, store: store)
        #expect(named.map(\.name) == [name, "bundled"])
    }

    @Test("what cannot be served is said with the next step")
    func errors() throws {
        let configuration = ServiceConfiguration(threads: 1)
        let none = #expect(throws: ServiceError.self) { try ModelCatalog([], configuration: configuration) }
        #expect(
            none?.description
                == "there is no model to serve; name one with --model FILE, or the folder of models in SEGNET_MODELS."
        )
        let entry = ModelCatalog.Entry(name: "a", loaded: LoadedModel(try TestModels.model(sampled: false), name: "a"))
        let twice = #expect(throws: ServiceError.self) {
            try ModelCatalog([entry, entry], configuration: configuration)
        }
        #expect(twice?.description == "two models are called 'a'; give one another name: --model NAME=FILE.")
        let missing = #expect(throws: ServiceError.self) {
            try ModelCatalog.entries(named: ["none/x.safetensors"], includesBundled: false, store: store)
        }
        #expect(
            missing?.description
                == "none/x.safetensors: there is no such model file; check the path, or see 'segnet models' for bundled ones."
        )
        let caffe = #expect(throws: ServiceError.self) {
            try ModelCatalog.entries(named: ["a.caffemodel"], includesBundled: false, store: store)
        }
        #expect(
            caffe?.description
                == "a.caffemodel: the server reads .safetensors models; convert it first: segnet convert a.caffemodel a.safetensors --network FILE.prototxt"
        )
        let unknown = #expect(throws: FormatError.self) {
            try ModelCatalog.entries(named: ["bundeld"], includesBundled: false, store: store)
        }
        #expect(unknown?.description.contains("Did you mean 'bundled'?") == true)
    }

    @Test("a model with weights that are not numbers is not served")
    func notFinite() throws {
        var model = try TestModels.model(sampled: false)
        model.weights["conv_classifier.bias"] = WeightTensor(shape: [5], values: [0, 0, .nan, 0, 0])
        let error = #expect(throws: WeightsError.self) {
            try ModelCatalog(
                [ModelCatalog.Entry(name: "a", loaded: LoadedModel(model, name: "a.safetensors"))],
                configuration: ServiceConfiguration(threads: 1)
            )
        }
        #expect(
            error?.description
                == "a.safetensors: tensor 'conv_classifier.bias' holds nan at index 2; use another model, or train this one again."
        )
    }
}
