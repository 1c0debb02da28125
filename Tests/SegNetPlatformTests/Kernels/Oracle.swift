import SegNetPlatform

/// What the original program answered to single layers: `../shared/oracle/layers` beside the package, if it is there.
enum Oracle {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared/oracle/layers")

    static let isAvailable = FileManager.default.fileExists(atPath: folder.path)
    static let whySkipped = "../shared/oracle/layers is not beside the package"

    /// An array of four axes, N, C, H, W, read from `<name>.npy` (float32, C order, version 1).
    static func array(_ name: String) throws -> OracleArray {
        let file = folder.appending(path: name + ".npy")
        let data = try Data(contentsOf: file)
        guard data.count > 10, data.starts(with: [0x93] + "NUMPY".utf8 + [1]) else {
            throw OracleError(file: file.path)
        }
        let start = 10 + Int(data[8]) + Int(data[9]) << 8
        let header = String(decoding: data[10..<start], as: UTF8.self)
        guard header.contains("'<f4'"), header.contains("'fortran_order': False"),
            let open = header.firstIndex(of: "("), let close = header.firstIndex(of: ")")
        else { throw OracleError(file: file.path) }
        let shape = header[open..<close].dropFirst().split(separator: ",")
            .compactMap { Int($0.filter(\.isNumber)) }
        let values = stride(from: start, to: data.count, by: 4).map { i in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[i + $1]) << (8 * $1) })
        }
        guard shape.count == 4, values.count == shape.reduce(1, *) else { throw OracleError(file: file.path) }
        return OracleArray(shape: shape, values: values)
    }
}

/// An array [N][C][H][W].
struct OracleArray {
    let shape: [Int]
    let values: [Float]
    var count: Int { shape[0] }
    var channels: Int { shape[1] }
    var height: Int { shape[2] }
    var width: Int { shape[3] }

    subscript(n: Int, c: Int, y: Int, x: Int) -> Float { values[((n * channels + c) * height + y) * width + x] }

    func blocked(_ n: Int) -> BlockedOperand { BlockedOperand(channels, height, width) { self[n, $0, $1, $2] } }
}

struct OracleError: Error { let file: String }
