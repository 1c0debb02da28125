import SegNetFormats
import SegNetFuzzing
import SegNetNetworks
import SegNetPlatform

/// The folder with the good files that damage starts from. Children read them from there, so that all see the same.
enum GoodFolder {
    /// Larger files would make most of the work copying.
    private static let greatestFileSize = 1 << 20

    /// Writes the folder: small pictures, small models in every form, and the files of the other folders that their
    /// readers accept.
    /// - Returns: The files of the given formats; of all formats for an empty list.
    static func prepare(_ folder: URL, formats: [FileFormat], more: [String]) throws -> [GoodFile] {
        if FileManager.default.fileExists(atPath: folder.path) { try FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for picture in GoodFile.pictures { try Data(picture.bytes).write(to: folder.appending(path: picture.name)) }
        try writeModels(to: folder)
        for path in more { try copyFiles(from: path, to: folder) }

        let readers = try Readers(goodFolder: folder)
        var kept: [GoodFile] = []
        var refused: [String] = []
        for file in try files(in: folder) {
            let place = folder.appending(path: file.name)
            let outcome = readers.read(file, at: place)
            if outcome.stage >= .decoded && (formats.isEmpty || formats.contains(file.format)) {
                kept.append(file)
                continue
            }
            if outcome.stage < .decoded { refused.append(file.name) }
            // A description stays next to its weights when only those are wanted.
            if outcome.stage < .decoded || file.format != .prototxt { try FileManager.default.removeItem(at: place) }
        }
        if !refused.isEmpty { print("left out, for their readers refuse them: \(refused.joined(separator: ", "))") }
        return try files(in: folder).filter { file in kept.contains { $0.name == file.name } }
    }

    /// The folder's files, in the order of their names.
    static func files(in folder: URL) throws -> [GoodFile] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().compactMap { name in
            guard let format = FileFormat(fileName: name) else { return nil }
            return GoodFile(
                format: format,
                name: name,
                bytes: Array(try Data(contentsOf: folder.appending(path: name)))
            )
        }
    }

    /// Two small networks with random weights, as safetensors and as the original's pair of files.
    private static func writeModels(to folder: URL) throws {
        let small = ArchitectureOptions(input: .bgr255(height: 20, width: 24), width: 0.05, dropout: .training)
        let contrast = ArchitectureOptions(
            input: .channels(2, height: 17, width: 19),
            width: 0.05,
            inputNormalization: .lcn
        )
        let networks = [
            ("segnet", Architecture.segNet.network(classes: 5, options: small)),
            ("segnet_basic", Architecture.segNetBasic.network(classes: 11, options: small)),
            ("segnet_contrast", Architecture.segNetBasic.network(classes: 3, options: contrast)),
        ]
        for (index, (name, network)) in networks.enumerated() {
            let model = Model(
                network: network,
                weights: try Weights.initial(for: network, seed: 7),
                metadata: ModelMetadata(
                    name: name,
                    classNames: (0..<(network.classCount ?? 0)).map { "class \($0)" },
                    palette: (0..<(network.classCount ?? 0)).map { [UInt8($0), 100, 200] },
                    notes: ["source": "random weights"]
                )
            )
            let url = folder.appending(path: "\(name).safetensors")
            try SafetensorsFile.write(model, elementType: index == 1 ? .float16 : .float32, to: url)
            guard network.input.channels.count == 3 else { continue }
            try Caffe.write(
                model,
                weights: folder.appending(path: "\(name).caffemodel"),
                network: folder.appending(path: "\(name).prototxt")
            )
        }
    }

    /// Copies the files of the formats, named after their paths.
    private static func copyFiles(from path: String, to folder: URL) throws {
        guard let names = try? FileManager.default.subpathsOfDirectory(atPath: path) else {
            print("no folder \(path): left out")
            return
        }
        let source = URL(filePath: path, directoryHint: .isDirectory)
        for name in names.sorted() where FileFormat(fileName: name) != nil {
            guard let data = try? Data(contentsOf: source.appending(path: name)), data.count <= greatestFileSize else {
                continue
            }
            let flat = name.split(separator: "/").joined(separator: "-")
            try data.write(to: folder.appending(path: flat))
        }
    }
}
