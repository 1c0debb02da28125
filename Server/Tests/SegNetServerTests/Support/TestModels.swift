import SegNetToolkit
import Synchronization

@testable import SegNetServer

/// Small networks of random weights, and pictures of random pixels.
enum TestModels {
    static let classNames = ["sky", "house", "road", "tree", "car"]

    static func model(sampled: Bool) throws -> Model {
        let network = Architectures.segNetBasic(
            classes: classNames.count,
            options: ArchitectureOptions(
                input: .bgr255(height: 48, width: 64),
                width: 0.25,
                dropout: sampled ? .sampled : .none
            )
        )
        return Model(
            network: network,
            weights: try Weights.initial(for: network, seed: sampled ? 7 : 5),
            metadata: ModelMetadata(
                name: "random",
                classNames: classNames,
                palette: [[128, 128, 128], [128, 0, 0], [128, 64, 128], [0, 128, 0], [10, 0, 255]],
                notes: ["data": "no data", "licence": "none"]
            )
        )
    }

    /// What the service is compared with.
    static func bare(sampled: Bool = false, _ options: Segmenter.Options = Segmenter.Options(threads: 1)) throws
        -> Segmenter
    {
        try Segmenter(LoadedModel(try model(sampled: sampled), name: "bare"), options: options)
    }

    private static let known = Mutex<ModelCatalog?>(nil)

    /// The models "plain" and "bayesian", made once for all tests.
    static func catalog() throws -> ModelCatalog {
        if let catalog = known.withLock({ $0 }) { return catalog }
        let catalog = try ModelCatalog(
            [
                ModelCatalog.Entry(name: "plain", loaded: LoadedModel(try model(sampled: false), name: "plain")),
                ModelCatalog.Entry(name: "bayesian", loaded: LoadedModel(try model(sampled: true), name: "bayesian")),
            ],
            configuration: ServiceConfiguration(threads: 1, workers: 2)
        )
        known.withLock { $0 = catalog }
        return catalog
    }

    static func picture(width: Int = 40, height: Int = 30, seed: UInt64 = 1) throws -> Image {
        var random = RandomNumbers(seed: seed)
        // Blocks of colour, so that more than one class occurs.
        let colors: [[UInt8]] = (0..<64).map { _ in (0..<3).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += colors[(y / 8 * 8 + x / 8) % 64] }
        }
        return try Image(width: width, height: height, channels: 3, pixels: pixels)
    }

    static func png(width: Int = 40, height: Int = 30, seed: UInt64 = 1) throws -> [UInt8] {
        try picture(width: width, height: height, seed: seed).encodedPNG()
    }

    /// A PNG of which only the header is there, saying any size.
    static func header(width: UInt32, height: UInt32) throws -> [UInt8] {
        var bytes = try png(width: 1, height: 1)
        for (offset, value) in [(16, width), (20, height)] {
            for byte in 0..<4 { bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * byte)) }
        }
        // The header's check sum, so that nothing but the size is wrong.
        let sum = CRC32.of(bytes[12..<29])
        for byte in 0..<4 { bytes[29 + byte] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * byte)) }
        return bytes
    }
}

/// PNG's check sum.
enum CRC32 {
    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}

/// A form as browsers send it.
struct TestForm {
    var boundary = "----boundary7f3a"
    private var parts: [UInt8] = []

    init() {}

    mutating func add(_ name: String, fileName: String? = nil, _ bytes: [UInt8]) {
        var head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\""
        if let fileName { head += "; filename=\"\(fileName)\"\r\nContent-Type: application/octet-stream" }
        parts += Array((head + "\r\n\r\n").utf8) + bytes + Array("\r\n".utf8)
    }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }
    var bytes: [UInt8] { parts + Array("--\(boundary)--\r\n".utf8) }
}
