public import SegNetNetworks
internal import SegNetPlatform

extension Weights {
    /// Zeros of the shapes that the network needs, for planning its memory without a file. They take no memory themselves: pages of
    /// zeros are only made when they are written.
    /// - Throws: `NetworkError` where the shapes do not fit; `MemoryError` if the largest tensor is beyond any address space.
    public static func zeros(for network: Network) throws -> Weights {
        let parameters = try network.parameters()
        let largest = parameters.map { saturatingProduct($0.parameter.shape.count, 4) }.max() ?? 0
        let zeros = try ZeroStorage(byteCount: largest)
        var weights = Weights()
        for (_, name, parameter) in parameters {
            weights[name] = WeightTensor(
                shape: parameter.shape,
                elementType: .float32,
                storage: ZeroStorage.Part(zeros, byteCount: parameter.shape.count * 4)
            )
        }
        return weights
    }
}

/// One run of zeros of which every tensor takes the beginning.
private final class ZeroStorage: Sendable {
    let memory: AlignedMemory

    init(byteCount: Int) throws(MemoryError) { memory = try AlignedMemory(byteCount: byteCount, hugePages: false) }

    final class Part: WeightStorage {
        private let zeros: ZeroStorage
        private let byteCount: Int

        init(_ zeros: ZeroStorage, byteCount: Int) {
            self.zeros = zeros
            self.byteCount = byteCount
        }

        func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            try body(UnsafeRawBufferPointer(start: zeros.memory.base, count: byteCount))
        }

        func release() {}
    }
}
