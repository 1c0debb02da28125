import CSegNetKernels
public import SegNetPlatform

/// A teacher's scores of a batch, in the learner's layout, for `Learner.loss`.
public final class Distillation {
    /// Divisor of both networks' scores before their softmax, above 0.
    public let temperature: Double
    /// Weight of a pixel's divergence in the loss: share * temperature^2 / pixels of the step.
    public var factor = 0.0

    private let memory: AlignedMemory
    private let pictures: Int
    private let channels: Int
    private let height: Int
    private let width: Int
    private let kernels: sn_kernels

    /// Bytes for a batch.
    package static func byteCount(pictures: Int, channels: Int, height: Int, width: Int) -> Int {
        pictures * blockCount(channels) * height * width * 64
    }

    /// - Parameters:
    ///   - pictures: Pictures in a batch.
    ///   - channels: The classes.
    ///   - height: Height of the scores, in pixels.
    ///   - width: Width of the scores, in pixels.
    /// - Throws: `MemoryError`.
    public init(
        pictures: Int,
        channels: Int,
        height: Int,
        width: Int,
        temperature: Double,
        instructionSet: InstructionSet
    ) throws(MemoryError) {
        precondition(temperature > 0)
        self.temperature = temperature
        (self.pictures, self.channels, self.height, self.width) = (pictures, channels, height, width)
        kernels = instructionSet.kernels
        memory = try AlignedMemory(
            byteCount: Self.byteCount(pictures: pictures, channels: channels, height: height, width: width)
        )
    }

    /// Takes the teacher's scores of a picture, planar [K][H][W]. They serve one call of `Learner.loss`, which writes over them.
    public func fill(_ scores: [Float], picture: Int) {
        precondition(scores.count == channels * height * width && (0..<pictures).contains(picture))
        scores.withUnsafeBufferPointer { scores in
            guard let scores = scores.baseAddress else { return }
            kernels.block(planes: scores, channels: channels, to: map(picture), 0..<height)
        }
    }

    func map(_ picture: Int) -> sn_map {
        let blocks = blockCount(channels)
        return sn_map(
            data: memory.floats() + picture * blocks * height * width * 16,
            blocks: blocks,
            height: height,
            width: width,
            rows: height,
            block_stride: height * width * 16
        )
    }

    /// Whether it fits the scores of a plan.
    func fits(pictures: Int, channels: Int, height: Int, width: Int) -> Bool {
        (self.pictures, self.channels, self.height, self.width) == (pictures, channels, height, width)
    }
}
