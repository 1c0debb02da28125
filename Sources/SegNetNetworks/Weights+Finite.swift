extension Weights {
    /// Refuses numbers with which a network gives nonsense without an error: NaN, infinities, negative variances. Reads every tensor that
    /// the network needs, and gives mapped ones back to the system.
    /// - Parameter file: The name of the weights' source in errors.
    /// - Throws: `WeightsError` naming the first such tensor; `NetworkError` if the network itself does not fit together.
    public func requireFinite(for network: Network, file: String) throws {
        for (_, name, parameter) in try network.parameters() {
            guard let tensor = tensors[name] else { continue }
            defer { tensor.release() }
            if let index = tensor.firstNotFinite {
                throw WeightsError(
                    file: file,
                    tensor: name,
                    reason: .notFinite(value: tensor.floats()[index], index: index)
                )
            }
            guard parameter.name == "variance" else { continue }
            let values = tensor.floats()
            if let index = values.firstIndex(where: { $0 < 0 }) {
                throw WeightsError(
                    file: file,
                    tensor: name,
                    reason: .negativeVariance(value: values[index], index: index)
                )
            }
        }
    }
}

extension WeightTensor {
    /// The place of the first number that is NaN or infinite. Numbers of 8 and 4 bits are finite; their scales are checked when a file is
    /// opened.
    public var firstNotFinite: Int? {
        switch elementType {
        case .float32: place(of: UInt32.self, exponent: 0x7F80_0000)
        case .float16: place(of: UInt16.self, exponent: 0x7C00)
        case .bfloat16: place(of: UInt16.self, exponent: 0x7F80)
        case .int8, .int4: nil
        }
    }

    /// The first number all of whose exponent's bits are set.
    private func place<Bits: FixedWidthInteger>(of type: Bits.Type, exponent: Bits) -> Int? {
        withBytes { bytes in
            let count = bytes.count / MemoryLayout<Bits>.size
            func isFinite(_ index: Int) -> Bool {
                let bits = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
                return Bits(littleEndian: bits) & exponent != exponent
            }
            // Blocks without a branch inside are compared many at a time.
            let block = 4096
            for start in stride(from: 0, to: count, by: block) {
                let range = start..<min(start + block, count)
                var areFinite = true
                for index in range { areFinite = isFinite(index) && areFinite }
                if !areFinite { return range.first { !isFinite($0) } }
            }
            return nil
        }
    }
}
