import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf

/// A `.caffemodel`: the names of its layers and where their weights are in the file.
///
/// Both encodings are read: `layer` (field 100, blobs in field 7) and the old `layers` (field 2, an enumeration for the
/// type, blobs in field 6). Opening reads the structure only; weights stay in the file until they are asked for, so a
/// file of 118 MB is never in memory twice.
struct CaffeModelFile {
    /// A layer that the file stores.
    struct Layer {
        let name: String
        /// As the new encoding spells it ("Convolution"); empty if the file does not say.
        let type: String
        let blobs: [Blob]
    }

    /// A tensor of a layer: weights, then bias, or scale, then shift.
    struct Blob {
        /// As the file states it; the old form always has four sizes.
        let shape: [Int]
        /// The number of values; equals the product of `shape`.
        let count: Int
        /// Where the message is in the file.
        let range: Range<Int>
        /// Where all values are stored side by side as float32, as Caffe writes them; nil for the other forms.
        let packedValues: Range<Int>?

        /// Whether this blob holds a tensor of that shape, ignoring extents of 1 where nothing else is lost: the old
        /// form spells [N] as 1x1x1xN and [out, in] as 1x1xOUTxIN, and batch normalisation keeps [C] as 1xCx1x1.
        /// VGG16's fully connected layers serve as FCN's convolutions.
        /// - Parameter isStrict: False: as many numbers are enough, as DeepLab's `strict_dim: false` has it.
        func fits(_ expected: [Int], isStrict: Bool = true) -> Bool {
            if !isStrict { return count == Shape(expected).count }
            if expected.count == 1 { return shape.filter { $0 != 1 } == expected.filter { $0 != 1 } }
            if shape.drop(while: { $0 == 1 }) == expected.drop(while: { $0 == 1 }) { return true }
            // A fully connected layer as the convolution that does the same: [out, in * kh * kw] for [out, in, kh, kw].
            return expected.count == 4 && shape.drop { $0 == 1 } == [expected[0], expected[1...].reduce(1, *)]
        }
    }

    let file: MappedFile
    let layers: [Layer]

    // Real networks have about a hundred. More only come from files made to exhaust memory.
    private static let greatestLayerCount = 100_000

    /// - Throws: `FormatError` if the file cannot be read or is not a caffemodel.
    init(_ url: URL) throws(FormatError) {
        let file = try MappedFile(url)
        self.file = file
        do {
            layers = try file.withBytes { (bytes) throws(WireReader.WireError) in try Self.layers(bytes) }
        } catch {
            throw FormatError(
                file: file.name,
                problem: "is not a whole .caffemodel: byte \(error.offset): \(error.problem)",
                advice: "Fetch the file again, or give another one"
            )
        }
        guard !layers.isEmpty else {
            throw FormatError(
                file: file.name,
                problem: "has no layers",
                advice: "A .caffemodel is needed, written by Caffe's training or by 'segnet convert'"
            )
        }
    }

    private static func layers(_ bytes: UnsafeRawBufferPointer) throws(WireReader.WireError) -> [Layer] {
        var layers: [Layer] = []
        var blobCount = 0
        var reader = WireReader(bytes, 0..<bytes.count)
        while let field = try reader.next() {
            guard case .bytes(let range) = field.value, field.number == 100 || field.number == 2 else { continue }
            let layer = try Self.layer(bytes, range, isV1: field.number == 2)
            layers.append(layer)
            blobCount += layer.blobs.count
            guard layers.count + blobCount <= greatestLayerCount else {
                throw WireReader.WireError(offset: range.lowerBound, problem: "more than \(greatestLayerCount) layers")
            }
        }
        return layers
    }

    private static func layer(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        isV1: Bool
    ) throws(WireReader.WireError) -> Layer {
        var name = ""
        var type = ""
        var blobs: [Blob] = []
        var reader = WireReader(bytes, range)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (isV1 ? 4 : 1, .bytes(let text)):
                name = String(decoding: bytes[text], as: UTF8.self)
            case (2, .bytes(let text)) where !isV1:
                type = String(decoding: bytes[text], as: UTF8.self)
            case (5, .varint(let number)) where isV1:
                type = Self.typeName(ofV1: number)
            case (isV1 ? 6 : 7, .bytes(let blob)):
                guard blobs.count < 1000 else {
                    throw WireReader.WireError(offset: blob.lowerBound, problem: "a layer has more than 1000 blobs")
                }
                blobs.append(try Self.blob(bytes, blob))
            default: break
            }
        }
        return Layer(name: name, type: type, blobs: blobs)
    }

    private static func blob(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>
    ) throws(WireReader.WireError) -> Blob {
        var oldShape: [Int] = [0, 0, 0, 0]
        var hasOldShape = false
        var shape: [Int] = []
        var floatCount = 0
        var doubleCount = 0
        var packedValues: Range<Int>?
        var reader = WireReader(bytes, range)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1...4, .varint(let size)):
                oldShape[field.number - 1] = Int(truncatingIfNeeded: size)
                hasOldShape = true
            case (5, .bytes(let values)):
                guard values.count % 4 == 0 else {
                    throw WireReader.WireError(offset: values.lowerBound, problem: "\(values.count) bytes of float32")
                }
                if floatCount == 0 { packedValues = values }
                floatCount += values.count / 4
            case (5, .fixed32): floatCount += 1
            case (8, .bytes(let values)):
                guard values.count % 8 == 0 else {
                    throw WireReader.WireError(offset: values.lowerBound, problem: "\(values.count) bytes of float64")
                }
                doubleCount += values.count / 8
            case (8, .fixed64): doubleCount += 1
            case (7, .bytes(let message)): shape = try Self.shape(bytes, message)
            default: break
            }
        }
        // Caffe's own order: where both forms are present the old sizes win, and so do doubles.
        let sizes = hasOldShape ? oldShape : shape
        let count = doubleCount > 0 ? doubleCount : floatCount
        var product = 1
        for size in sizes {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else {
                throw WireReader.WireError(
                    offset: range.lowerBound,
                    problem: "a blob has the impossible shape \(sizes)"
                )
            }
            product = next
        }
        guard product == count else {
            throw WireReader.WireError(
                offset: range.lowerBound,
                problem: "a blob of shape \(sizes) needs \(product) values and has \(count)"
            )
        }
        if let values = packedValues, values.count != 4 * count || doubleCount > 0 { packedValues = nil }
        return Blob(shape: sizes, count: count, range: range, packedValues: packedValues)
    }

    private static func shape(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>
    ) throws(WireReader.WireError) -> [Int] {
        var sizes: [Int] = []
        var reader = WireReader(bytes, range)
        func append(_ value: UInt64, at offset: Int) throws(WireReader.WireError) {
            // Caffe allows 32 axes.
            guard sizes.count < 32 else {
                throw WireReader.WireError(offset: offset, problem: "a shape has over 32 axes")
            }
            sizes.append(Int(truncatingIfNeeded: value))
        }
        while let field = try reader.next() {
            guard field.number == 1 else { continue }
            switch field.value {
            case .varint(let size): try append(size, at: range.lowerBound)
            case .bytes(let packed):
                var position = packed.lowerBound
                while position < packed.upperBound {
                    var value: UInt64 = 0
                    var shift: UInt64 = 0
                    var isWhole = false
                    while position < packed.upperBound, shift < 64, !isWhole {
                        value |= UInt64(bytes[position] & 0x7f) << shift
                        isWhole = bytes[position] < 0x80
                        position += 1
                        shift += 7
                    }
                    guard isWhole else {
                        throw WireReader.WireError(offset: position, problem: "a shape is cut off")
                    }
                    try append(value, at: position)
                }
            default: break
            }
        }
        return sizes
    }

    /// The type of an old layer by its number; empty for numbers of other versions of Caffe.
    private static func typeName(ofV1 number: UInt64) -> String {
        guard let type = Caffe_V1LayerParameter.LayerType(rawValue: Int(truncatingIfNeeded: number)) else { return "" }
        var message = Caffe_V1LayerParameter()
        message.type = type
        // "type: INNER_PRODUCT"
        let word = message.textFormatString().split(separator: " ").last.map { $0.filter { !$0.isWhitespace } } ?? ""
        return CaffeNetwork.newTypeName(ofV1: word) ?? ""
    }

    /// A blob's values as a tensor of that shape: left in the file if they are stored side by side there, otherwise
    /// copied.
    func tensor(_ blob: Blob, shape: Shape) -> WeightTensor {
        if let values = blob.packedValues {
            return WeightTensor(
                shape: shape,
                elementType: .float32,
                storage: MappedStorage(file: file, range: values)
            )
        }
        return WeightTensor(shape: shape, values: values(of: blob))
    }

    /// Values that are not stored side by side: one field each, several lists, or float64.
    private func values(of blob: Blob) -> [Float] {
        defer { file.release(blob.range) }
        return file.withBytes { values(of: blob, in: $0) }
    }

    private func values(of blob: Blob, in bytes: UnsafeRawBufferPointer) -> [Float] {
        var floats: [Float] = []
        var doubles: [Float] = []
        floats.reserveCapacity(blob.count)
        func append(floatAt offset: Int) { floats.append(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)) }
        func append(doubleAt offset: Int) {
            doubles.append(Float(bytes.loadUnaligned(fromByteOffset: offset, as: Double.self)))
        }
        var reader = WireReader(bytes, blob.range)
        // The message was walked once when the file was opened: nothing is thrown here.
        while let field = try? reader.next() {
            switch (field.number, field.value) {
            case (5, .bytes(let range)):
                for index in 0..<(range.count / 4) { append(floatAt: range.lowerBound + 4 * index) }
            case (5, .fixed32(let offset)): append(floatAt: offset)
            case (8, .bytes(let range)):
                for index in 0..<(range.count / 8) { append(doubleAt: range.lowerBound + 8 * index) }
            case (8, .fixed64(let offset)): append(doubleAt: offset)
            default: break
            }
        }
        return doubles.isEmpty ? floats : doubles
    }
}
