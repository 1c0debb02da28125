import SegNetImages
import SegNetPlatform

/// The files beside these tests; see `Goldens/README.md`.
enum Goldens {
    struct Missing: Error { let path: String }

    static let folder = String(#filePath.dropLast("Goldens.swift".count)) + "Goldens/"

    /// The package's folder.
    static let package = String(#filePath.dropLast("Tests/SegNetImagesTests/Goldens.swift".count))

    static func bytes(_ name: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: folder + name) else { throw Missing(path: folder + name) }
        return [UInt8](data)
    }

    /// The picture that a file must decode to.
    static func picture(_ name: String) throws -> Image {
        let bytes = try bytes(name + ".raw")
        return try Image(
            width: Int(bytes[0]),
            height: Int(bytes[1]),
            channels: Int(bytes[2]),
            pixels: Array(bytes.dropFirst(3))
        )
    }

    /// The labels that a file must decode to.
    static func labels(_ name: String) throws -> LabelMap {
        let bytes = try bytes(name + ".ids")
        let ids = stride(from: 2, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        return try LabelMap(width: Int(bytes[0]), height: Int(bytes[1]), ids: ids)
    }

    static let grayPNGs = ["gray1", "gray2", "gray4", "gray8", "gray16"]
    static let palettePNGs = ["palette1", "palette2", "palette4", "palette8"]
    static let transparentPNGs = [
        "palette4-transparent", "palette8-transparent", "gray2-transparent", "gray8-transparent", "rgb8-transparent",
        "rgb16-transparent",
    ]
    static let colorPNGs = ["rgb8", "rgb16", "rgba8", "rgba16"]
    static let grayAlphaPNGs = ["gray-alpha8", "gray-alpha16"]
    static let allPNGs = grayPNGs + palettePNGs + transparentPNGs + colorPNGs + grayAlphaPNGs
    static let labelPNGs = allPNGs.filter { !$0.hasPrefix("rgb") }
    static let allJPEGs = [
        "baseline-444", "baseline-422", "baseline-420", "baseline-restarts", "baseline-440", "baseline-411",
        "progressive", "gray", "gray-progressive", "stored-rgb", "cmyk", "cmyk-progressive", "cmyk-without-adobe",
        "ycck",
    ]
}

/// A folder for one test's files, gone with it.
final class TemporaryFolder {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "segnet-images-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false) + "/"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(filePath: path + name))
        return path + name
    }

    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path) }
}

/// The error's text, or a remark that there was none.
func text(_ body: () throws -> some Any) -> String {
    do {
        return "no error but \(try body())"
    } catch {
        return "\(error)"
    }
}

/// A PNG file of given chunks, with the right lengths and checksums.
func png(_ chunks: [(kind: String, payload: [UInt8])]) -> [UInt8] {
    chunks.reduce([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { file, chunk in
        let checked = Array(chunk.kind.utf8) + chunk.payload
        return file + bigEndian(chunk.payload.count) + checked + bigEndian(Int(crc32(checked)))
    }
}

/// A header chunk.
func header(width: Int, height: Int, depth: UInt8 = 8, colorType: UInt8 = 2, interlace: UInt8 = 0) -> (String, [UInt8])
{
    ("IHDR", bigEndian(width) + bigEndian(height) + [depth, colorType, 0, 0, interlace])
}

func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// PNG's checksum (PNG specification, annex D), bit by bit.
func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(0xFFFF_FFFF as UInt32) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
}

/// Reproducible random numbers (SplitMix64).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
