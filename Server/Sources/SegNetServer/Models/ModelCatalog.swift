internal import HTTPTypes
public import SegNetToolkit

/// The models that a service offers; the first is the default.
public struct ModelCatalog: Sendable {
    let models: [ServedModel]

    /// A model by the name that clients use.
    public struct Entry: Sendable {
        public var name: String
        public var loaded: LoadedModel

        public init(name: String, loaded: LoadedModel) {
            self.name = name
            self.loaded = loaded
        }
    }

    /// - Parameters:
    ///   - entries: At least one; names differ.
    /// - Throws: `ServiceError` if there are no entries or two with the same name, and the error that makes a model
    ///   unusable.
    public init(_ entries: [Entry], configuration: ServiceConfiguration) throws {
        guard !entries.isEmpty else {
            throw ServiceError(
                "there is no model to serve; name one with --model FILE, or the folder of models in SEGNET_MODELS."
            )
        }
        for (index, entry) in entries.enumerated() where entries[..<index].contains(where: { $0.name == entry.name }) {
            throw ServiceError("two models are called '\(entry.name)'; give one another name: --model NAME=FILE.")
        }
        models = try entries.map { try ServedModel($0.loaded, name: $0.name, configuration: configuration) }
    }

    /// Each would take another 118 MB of memory. `segnet-camvid` is bundled for the paper's comparison, and the default is better for
    /// photographs; `segnet-indoor` is for rooms.
    private static let servedByNameOnly: Set = ["segnet-camvid", "segnet-indoor"]

    /// The models of the command line (`FILE`, `NAME=FILE` or a bundled model's name) and the bundled models, except
    /// `segnet-camvid` and `segnet-indoor`, which are served only if they are named.
    /// - Throws: `ServiceError` or `FormatError` naming the model and the next step.
    public static func entries(
        named texts: [String],
        includesBundled: Bool,
        store: ModelStore = .server
    ) throws -> [Entry] {
        var entries: [Entry] = []
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let file = parts.count == 2 ? parts[1] : text
            if file.lowercased().hasSuffix(".caffemodel") {
                throw ServiceError(
                    "\(file): the server reads .safetensors models; convert it first: "
                        + "segnet convert \(file) \(file.dropLast(11)).safetensors --network FILE.prototxt"
                )
            }
            let url = try store.resolve(file)
            guard FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) else {
                throw ServiceError(
                    "\(file): there is no such model file; check the path, or see 'segnet models' for bundled ones."
                )
            }
            let stem = url.deletingPathExtension().lastPathComponent
            entries.append(Entry(name: parts.count == 2 ? parts[0] : stem, loaded: try LoadedModel(url)))
        }
        if includesBundled {
            // The bundled default first.
            let bundled = store.models.sorted {
                ($0.name != ModelStore.defaultName ? 1 : 0, $0.name) < (
                    $1.name != ModelStore.defaultName ? 1 : 0, $1.name
                )
            }
            for (name, url) in bundled
            where !servedByNameOnly.contains(name) && !entries.contains(where: { $0.name == name }) {
                entries.append(Entry(name: name, loaded: try LoadedModel(url)))
            }
        }
        return entries
    }

    /// The model of a request.
    /// - Throws: `Problem` 404 listing the names.
    func model(_ name: String?) throws(Problem) -> ServedModel {
        if let found = name == nil ? models.first : models.first(where: { $0.name == name }) { return found }
        let names = models.map(\.name)
        let hint = closestName(to: name ?? "", among: names).map { " Did you mean '\($0)'?" } ?? ""
        throw Problem(
            .notFound,
            "There is no model '\((name ?? "").shortened)'.\(hint) This service has \(names.joined(separator: ", "))."
        )
    }
}

extension ModelStore {
    /// The bundled models, found as the command finds them, and in the source tree that contains `Server/`.
    public static var server: ModelStore {
        let standard = ModelStore.standard
        return ModelStore(folders: standard.folders + ServerFiles.sourceFolders.map { $0.appending(path: "../Models") })
    }
}
