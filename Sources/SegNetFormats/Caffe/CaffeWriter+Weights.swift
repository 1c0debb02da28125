import SegNetNetworks
import SegNetPlatform
import SwiftProtobuf

extension CaffeWriter {
    /// Writes the `.caffemodel`: each layer's description, then its blobs, one tensor in memory at a time.
    func writeWeights(_ net: Caffe_NetParameter, to writer: inout FileWriter) throws(FormatError) {
        var head = Caffe_NetParameter()
        head.name = net.name
        try writer.write(try bytes(head))
        let roles = try roles()
        for (layer, parameter) in zip(model.network.layers, net.layer) {
            let description = try dialect.isOld ? oldDescription(parameter) : bytes(parameter)
            let blobs = try self.blobs(of: layer, roles[layer.name] ?? [])
            var length = description.count
            var prefixes: [[UInt8]] = []
            for blob in blobs {
                // The shape is a message of its own, or four numbers; the values follow as one packed field.
                var message = Caffe_BlobProto()
                if dialect.isOld {
                    let extents = blob.shape.extents.map { Int32(clamping: $0) }
                    let sizes = Array(repeating: 1, count: max(0, 4 - extents.count)) + extents
                    (message.num, message.channels, message.height, message.width) = (
                        sizes[0], sizes[1], sizes[2], sizes[3]
                    )
                } else {
                    message.shape.dim = blob.shape.extents.map { Int64($0) }
                }
                let start = try bytes(message) + WireWriter.prefix(field: 5, length: 4 * blob.shape.count)
                let blobLength = start.count + 4 * blob.shape.count
                let prefix = WireWriter.prefix(field: dialect.isOld ? 6 : 7, length: blobLength) + start
                prefixes.append(prefix)
                length += prefix.count + 4 * blob.shape.count
            }
            try writer.write(WireWriter.prefix(field: dialect.isOld ? 2 : 100, length: length))
            try writer.write(description)
            for (blob, prefix) in zip(blobs, prefixes) {
                try writer.write(prefix)
                try writer.writeFloats(of: blob)
            }
        }
    }

    /// The parameters that an old layer needs besides its blobs: programs match it by name.
    private func oldDescription(_ parameter: Caffe_LayerParameter) throws(FormatError) -> [UInt8] {
        var old = Caffe_V1LayerParameter()
        old.name = parameter.name
        old.bottom = parameter.bottom
        old.top = parameter.top
        // Field 5, the type's number in this Caffe; the schema has upstream's only.
        return try bytes(old) + [5 << 3, dialect.oldType(parameter.type)?.number ?? 0]
    }

    private func bytes(_ message: some Message) throws(FormatError) -> [UInt8] {
        do {
            return try message.serializedBytes()
        } catch {
            throw FormatError(file: file, problem: "cannot be encoded as protobuf (\(error))")
        }
    }

    /// The parameters of each layer that has any.
    private func roles() throws(FormatError) -> [String: [LayerParameter.Role]] {
        do {
            return Dictionary(grouping: try model.network.parameters(), by: \.layer.name)
                .mapValues { $0.map(\.parameter.role) }
        } catch {
            throw FormatError(network: error, file: file, lines: [:])
        }
    }

    /// A layer's tensors in Caffe's shapes. Its order is the layer's own: weight and bias, scale and shift.
    /// - Parameter roles: Of the layer's parameters.
    private func blobs(
        of layer: Layer,
        _ roles: [LayerParameter.Role]
    ) throws(FormatError) -> [WeightTensor] {
        if case .batchNormalization(let kind) = layer.operation {
            let (scale, shift) = try model.weights.normalization(layer.name, kind, file: file)
            let shape: Shape = [1, scale.shape.count, 1, 1]
            return [scale.reshaped(shape), shift.reshaped(shape)]
        }
        var blobs: [WeightTensor] = []
        for role in roles {
            guard let tensor = model.weights[layer.name, role] else {
                throw FormatError(file: file, problem: "layer '\(layer.name)' has no \(role)")
            }
            blobs.append(tensor)
        }
        return blobs
    }
}

extension FileWriter {
    /// Appends a tensor's numbers as float32 and releases its memory.
    mutating func writeFloats(of tensor: WeightTensor) throws(FormatError) {
        defer { tensor.release() }
        if tensor.elementType == .float32 {
            let result = tensor.withBytes { bytes in
                Result { () throws(FormatError) in try self.write(bytes) }
            }
            try result.get()
        } else {
            try write(floats: tensor.floats())
        }
    }

    /// Appends float32 numbers.
    mutating func write(floats values: [Float]) throws(FormatError) {
        let result = values.withUnsafeBytes { bytes in
            Result { () throws(FormatError) in try self.write(bytes) }
        }
        try result.get()
    }
}
