import SegNetFormats
import SegNetImages
import SegNetMultipart
import SegNetNetworks
import SegNetPlatform
import SegNetTraining

/// What is fuzzed, and how it is read.
enum FuzzedFormat: String, CaseIterable {
    case png, jpeg, safetensors, caffemodel, prototxt, npy, recipe, multipart

    /// Large pictures take long and show nothing new.
    private static let limits = DecodingLimits(maximumPixels: 1 << 14)

    /// Reads an input as a user's file would be.
    func read(_ bytes: [UInt8], at place: URL) throws {
        let name = place.lastPathComponent
        switch self {
        case .png:
            _ = try? LabelMap(decoding: bytes, name: name, limits: Self.limits)
            _ = try Image(decoding: bytes, name: name, limits: Self.limits)
        case .jpeg:
            // Headers alone, whatever size they state; then small pictures to the end.
            do {
                _ = try Image(decoding: bytes, name: name, limits: DecodingLimits(maximumPixels: 0))
            } catch {
                guard case .tooManyPixels = error.reason else { throw error }
            }
            _ = try Image(decoding: bytes, name: name, limits: Self.limits)
        case .safetensors:
            try Data(bytes).write(to: place)
            let model = try SafetensorsFile(place).model()
            touch(model.weights)
        case .caffemodel:
            try Data(bytes).write(to: place)
            touch(try Caffe.readConvolutions(place))
            for network in Self.networks {
                if let (weights, _) = try? Caffe.readWeights(place, for: network) { touch(weights) }
            }
        case .prototxt:
            try Data(bytes).write(to: place)
            _ = try? Caffe.readNetwork(place).network.summary()
            _ = try Caffe.readNetwork(place)
        case .npy:
            try Data(bytes).write(to: place)
            let file = try NPYFile(place)
            _ = (file.floats(), file.integers())
        case .recipe:
            let recipe = try TrainingConfiguration(yaml: String(decoding: bytes, as: UTF8.self), file: name)
            // What is written again reads the same.
            let written = try recipe.yaml()
            let again = try TrainingConfiguration(yaml: written, file: name).yaml()
            precondition(again == written, "a recipe changes when it is written and read")
        case .multipart: try readForm(bytes)
        }
    }

    /// A form of the server: the first line is its Content-Type, the rest its body.
    private func readForm(_ bytes: [UInt8]) throws {
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        let body = Array(bytes[min(end + 1, bytes.count)...])
        let form = try MultipartForm(body, contentType: String(decoding: bytes[..<end], as: UTF8.self))
        let held = form.parts.reduce(0) { $0 + $1.bytes.count }
        precondition(held <= body.count, "the parts hold more than the body")
        precondition(form.parts.count <= MultipartForm.mostParts, "there are more parts than allowed")
        _ = try form.texts(["size", "model"])
    }

    /// The descriptions of the Caffe weights among the tests' golden files.
    private static let networks = ["vgg_new", "vgg_v1"].compactMap { name in
        try? Caffe.readNetwork(URL(filePath: "Tests/Golden/original/v1/\(name).prototxt"))
    }

    /// Reads the numbers, which stay in the file until somebody asks for them.
    private func touch(_ weights: Weights) {
        for tensor in weights.tensors.values { _ = tensor.withFloats { $0.last } }
    }
}
