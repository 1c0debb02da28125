import SegNetNetworks
import SegNetPlatform
import Testing

@testable import SegNetFormats

/// Files damaged at random, the same way in every run: each must give a model or a `FormatError`.
@Suite("damaged files")
struct HostileFileTests {
    /// Changes a few bytes: overwrites, drops, repeats or cuts out pieces.
    static func damagedBytes(_ bytes: [UInt8], within limit: Int, _ random: inout RandomNumbers) -> [UInt8] {
        var result = bytes
        for _ in 0...Int(random.next() % 3) {
            let position = Int(random.next() % UInt64(min(limit, result.count)))
            let length = min(result.count - position, Int(random.next() % 100))
            switch random.next() % 4 {
            case 0: result[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: result.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
            case 2: result.insert(contentsOf: result[position..<(position + length)], at: position)
            default: result.removeSubrange(position..<(position + length))
            }
            if result.isEmpty { result = [0] }
        }
        return result
    }

    static let extremes = [
        "0", "-1", "3", "4096", "65536", "1048576", "2147483647", "4294967295", "9223372036854775807",
        "18446744073709551615", "-9223372036854775808", "1e300", "0.5", "nan", "[]", "{}",
    ]

    /// Replaces a number in a text by another one.
    static func damagedNumber(_ bytes: [UInt8], within limit: Int, _ random: inout RandomNumbers) -> [UInt8] {
        let start = Int(random.next() % UInt64(min(limit, bytes.count)))
        let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
        guard let first = bytes[start...].firstIndex(where: isDigit) else { return bytes }
        let last = bytes[first...].firstIndex { !isDigit($0) } ?? bytes.endIndex
        let number = extremes[Int(random.next() % UInt64(extremes.count))]
        return bytes[..<first] + Array(number.utf8) + bytes[last...]
    }

    /// Runs `body` on damaged copies and counts those that still made a model.
    static func survivors(
        of bytes: [UInt8],
        count: Int,
        damage: (inout RandomNumbers) -> [UInt8],
        read: (URL) throws -> Model
    ) throws -> Int {
        var random = RandomNumbers(seed: 11, stream: 2)
        var survivors = 0
        try withTemporaryFolder { folder in
            for _ in 0..<count {
                let url = try folder.write(damage(&random), as: "damaged")
                do {
                    let model = try read(url)
                    for tensor in model.weights.tensors.values { #expect(tensor.floats().count == tensor.shape.count) }
                    _ = try? model.network.summary()
                    survivors += 1
                } catch { #expect(error is FormatError, "\(error)") }
            }
        }
        return survivors
    }

    @Test("safetensors with damaged bytes or numbers", arguments: [false, true])
    func safetensors(numbers: Bool) throws {
        let bytes = try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("good")
            try SafetensorsFile.write(try SampleModels.basic(), to: url)
            return [UInt8](try Data(contentsOf: url))
        }
        let header = bytes.prefix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let survivors = try Self.survivors(of: bytes, count: 200) { random in
            var damaged =
                numbers
                ? Self.damagedNumber(bytes, within: header, &random)
                : Self.damagedBytes(bytes, within: header, &random)
            // The header's length is made right again: more than the first check must hold.
            let length = UInt32(max(0, header + damaged.count - bytes.count))
            for index in 0..<min(4, damaged.count) {
                damaged[index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index)))
            }
            return damaged
        } read: { url in
            try SafetensorsFile.readModel(url)
        }
        #expect(survivors < 150)
    }

    @Test("caffemodels with damaged bytes")
    func caffemodel() throws {
        try withTemporaryFolder { folder in
            let (weights, network) = (folder.appendingPathComponent("good"), folder.appendingPathComponent("net"))
            try Caffe.write(try SampleModels.basic(), weights: weights, network: network)
            let bytes = [UInt8](try Data(contentsOf: weights))
            let survivors = try Self.survivors(of: bytes, count: 200) { random in
                Self.damagedBytes(bytes, within: bytes.count, &random)
            } read: { url in
                try Caffe.readModel(weights: url, network: network).model
            }
            #expect(survivors < 150)
        }
    }

    @Test("prototxts with damaged bytes or numbers", arguments: [false, true])
    func prototxt(numbers: Bool) throws {
        try withTemporaryFolder { folder in
            let (weights, network) = (folder.appendingPathComponent("good"), folder.appendingPathComponent("net"))
            try Caffe.write(try SampleModels.basic(), weights: weights, network: network)
            let bytes = [UInt8](try Data(contentsOf: network))
            let survivors = try Self.survivors(of: bytes, count: 200) { random in
                numbers
                    ? Self.damagedNumber(bytes, within: bytes.count, &random)
                    : Self.damagedBytes(bytes, within: bytes.count, &random)
            } read: { url in
                try Caffe.readModel(weights: weights, network: url).model
            }
            #expect(survivors < 150)
        }
    }

    @Test("a window that is too large to be multiplied is refused, even in front of a CROP, which computes with it")
    func hugeWindow() {
        let text =
            "input: 'data' input_dim: 1 input_dim: 3 input_dim: 40 input_dim: 48\n"
            + "layers { name: 'a' type: CONVOLUTION bottom: 'data' top: 'a' "
            + "convolution_param { num_output: 2 kernel_size: 4294967295 hole: 4294967295 } }\n"
            + "layers { name: 'c' type: CROP bottom: 'a' bottom: 'data' top: 'c' }"
        let found = message {
            try CaffeNetworkReader.read(try CaffeNetwork(bytes: Array(text.utf8), file: "net.prototxt"))
        }
        #expect(
            found.hasPrefix("net.prototxt:3: layer 'c' states no offset, and none follows from the layers before it: "),
            "\(found)"
        )
    }

    @Test("weights for more numbers than can be counted do not fit, whatever their shape")
    func hugeWeights() {
        let blob = CaffeModelFile.Blob(shape: [1], count: 1, range: 0..<0, packedValues: nil)
        #expect(!blob.fits([1 << 20, 1 << 20, 4096, 4096], isStrict: false))
    }
}
