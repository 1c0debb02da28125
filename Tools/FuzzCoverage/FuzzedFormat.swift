import SegNetAnnotations
import SegNetFormats
import SegNetFuzzing
import SegNetImages
import SegNetMultipart
import SegNetNetworks
import SegNetPlatform
import SegNetTraining

/// What is fuzzed, and how it is read.
enum FuzzedFormat: String, CaseIterable {
    case png, jpeg, tiff, webp, gif, bmp, safetensors, caffemodel, prototxt, npy, recipe, plan, multipart
    case coco, labelme, labelStudio = "label-studio", cvat, yolo, yoloData = "yolo-data"

    /// Large pictures take long and show nothing new.
    private static let limits = DecodingLimits(maximumPixels: 1 << 14)

    /// Reads an input as a user's file would be.
    /// - Parameter place: A file that may be written, and that errors have to name.
    func read(_ bytes: [UInt8], at place: URL) throws {
        switch self {
        case .png, .jpeg, .webp, .gif, .bmp: _ = try PictureReading.read(bytes, at: place, limits: Self.limits)
        case .tiff:
            try Data(bytes).write(to: place)
            _ = try PictureReading.read(bytes, at: place, limits: Self.limits)
        case .coco, .labelme, .labelStudio, .cvat, .yolo:
            guard let format = FileFormat(rawValue: rawValue) else { return }
            try Data(bytes).write(to: place)
            try AnnotationReading.read(format, at: place)
        case .recipe, .plan: try readSettings(String(decoding: bytes, as: UTF8.self), name: place.lastPathComponent)
        case .multipart: try readForm(bytes)
        case .safetensors, .caffemodel, .prototxt, .npy, .yoloData:
            try Data(bytes).write(to: place)
            try readFile(place)
        }
    }

    private func readFile(_ place: URL) throws {
        switch self {
        case .safetensors: touch(try SafetensorsFile(place).model().weights)
        case .caffemodel:
            touch(try Caffe.readConvolutions(place))
            for network in Self.networks {
                if let (weights, _) = try? Caffe.readWeights(place, for: network) { touch(weights) }
            }
        case .prototxt:
            let network = try Caffe.readNetwork(place).network
            _ = try? network.summary()
        case .yoloData: _ = try YOLODescription(path: place.path)
        default:
            let file = try NPYFile(place)
            _ = (file.floats(), file.integers())
        }
    }

    /// What is written again has to read the same.
    private func readSettings(_ text: String, name: String) throws {
        if self == .plan {
            _ = try ComparisonPlan(yaml: text, file: name)
            return
        }
        let written = try TrainingConfiguration(yaml: text, file: name).yaml()
        let again = try TrainingConfiguration(yaml: written, file: name).yaml()
        precondition(again == written, "a recipe changes when it is written and read")
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
