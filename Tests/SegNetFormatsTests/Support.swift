import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetFormats

/// The recorded outputs of the original program, beside the repository. Tests that need them skip where they are not.
enum Oracle {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/oracle")

    static let isHere = FileManager.default.fileExists(atPath: folder.path)

    static func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
}

extension Trait where Self == ConditionTrait {
    /// Skips, and says so, where `../shared/oracle` is absent.
    static var needsOracle: Self {
        .enabled(if: Oracle.isHere, "the original program's recorded outputs are not beside the repository")
    }
}

/// A folder of its own for one test, deleted at the end.
func withTemporaryFolder<R>(_ body: (URL) throws -> R) throws -> R {
    let name = "segnet-formats-\(UInt64.random(in: 0 ... .max))"
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name, isDirectory: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

extension URL {
    /// Writes bytes and returns the file under a name without folders, as messages show it.
    func write(_ bytes: [UInt8], as name: String) throws -> URL {
        let file = appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return URL(fileURLWithPath: name, relativeTo: self)
    }

    func write(_ text: String, as name: String) throws -> URL { try write(Array(text.utf8), as: name) }
}

/// The text of the error that `body` throws.
func message<R>(_ body: () throws -> R) -> String {
    do {
        _ = try body()
        return "no error"
    } catch { return "\(error)" }
}

/// The bits of a tensor's numbers as float32: equal for equal numbers, NaN included.
func bits(_ tensor: WeightTensor?) -> [UInt32]? { tensor?.floats().map(\.bitPattern) }
