import CSegNetKernels
public import SegNetImages
public import SegNetPlatform

extension DenseCRF {
    /// Class probabilities and classes after refinement.
    public struct Refinement: Sendable {
        /// The class of each pixel: the one with the greatest probability, the lowest id among exactly equal ones.
        public let classes: LabelMap
        /// [K, H, W]
        public let probabilities: [Float]

        /// The greatest probability of each pixel, [H, W].
        public func confidence() -> [Float] {
            let pixels = classes.ids.count
            return (0..<pixels).map { probabilities[Int(classes.ids[$0]) * pixels + $0] }
        }
    }

    /// Refines class probabilities by the picture that they belong to.
    /// - Parameters:
    ///   - probabilities: [K, H, W]. They need not add up to 1. Below 1.2e-38 (and NaN) counts as 1.2e-38, so a pixel without any
    ///     probability is decided by the others alone.
    ///   - classCount: K, 1...65535.
    ///   - picture: H x W, in gray, RGB or RGBA (alpha does not count).
    ///   - threads: Nil: all cores that this process may use. Results do not depend on it.
    ///   - instructionSet: Nil: the one that `SEGNET_ISA` names, or else the fastest of this machine.
    ///   - isCancelled: Asked before each step: true ends the call.
    /// - Throws: `DenseCRFError` for parameters out of range, sizes that do not fit together, or deviations too small for so large a
    ///   picture; `InstructionSetChoiceError` if `SEGNET_ISA` is needed and names none of this machine; `MemoryError`; `CancellationError`.
    ///
    /// Memory: 8 bytes per pixel and class (rounded up to a multiple of 8), 144 bytes per pixel for the lattices, and what their points
    /// take, which depends on how much the colours vary.
    public func refine(
        probabilities: [Float],
        classCount: Int,
        picture: Image,
        threads: Int? = nil,
        instructionSet: InstructionSet? = nil,
        isCancelled: (() -> Bool)? = nil
    ) throws -> Refinement {
        try refine(probabilities, areScores: false, classCount, picture, threads, instructionSet, isCancelled)
    }

    /// The same from class scores before softmax, [K, H, W], which keep what softmax would round to 0. NaN counts as minus infinity.
    public func refine(
        scores: [Float],
        classCount: Int,
        picture: Image,
        threads: Int? = nil,
        instructionSet: InstructionSet? = nil,
        isCancelled: (() -> Bool)? = nil
    ) throws -> Refinement {
        try refine(scores, areScores: true, classCount, picture, threads, instructionSet, isCancelled)
    }

    /// The least memory that a refinement takes, in bytes; nil where the number is beyond 2^63.
    static func leastBytes(width: Int, height: Int, classCount: Int) -> Int? {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        let row = classCount.addingReportingOverflow(7)
        let each = (row.partialValue / 8 * 8).multipliedReportingOverflow(by: 12)
        let bytes = pixels.multipliedReportingOverflow(by: each.partialValue &+ 16 * 9 + 8)
        return overflow || row.overflow || each.overflow || bytes.overflow ? nil : bytes.partialValue
    }

    private func check(_ values: [Float], _ classCount: Int, _ picture: Image) throws -> [GaussianKernel] {
        try check()
        guard (1...Int(UInt16.max)).contains(classCount) else {
            throw DenseCRFError("there are \(classCount) classes; give 1...\(UInt16.max)")
        }
        let (needed, overflow) = (picture.width * picture.height).multipliedReportingOverflow(by: classCount)
        guard !overflow, values.count == needed else {
            throw DenseCRFError(
                "\(values.count) numbers were given for \(classCount) classes and a picture of \(picture.width)x\(picture.height); "
                    + "give classes x height x width of them"
            )
        }
        let bytes = Self.leastBytes(width: picture.width, height: picture.height, classCount: classCount)
        // Pixels and points are numbered with 32 bits.
        guard let bytes, picture.width * picture.height <= Int(Int32.max) / 9 else {
            throw MemoryError(byteCount: bytes ?? Int.max)
        }
        try Self.checkMemory(bytes)
        let colorful = GaussianKernel(position: sigmaAlpha, color: sigmaBeta)
        guard colorful.fits(width: picture.width, height: picture.height) else {
            throw DenseCRFError(
                "sigma-alpha \(Self.number(sigmaAlpha)) and sigma-beta \(Self.number(sigmaBeta)) are too small for a picture of "
                    + "\(picture.width)x\(picture.height); choose larger ones"
            )
        }
        let near = GaussianKernel(position: sigmaGamma)
        guard near.fits(width: picture.width, height: picture.height) else {
            throw DenseCRFError(
                "sigma-gamma \(Self.number(sigmaGamma)) is too small for a picture of \(picture.width)x\(picture.height); "
                    + "choose a larger one"
            )
        }
        return [colorful, near]
    }

    private static func checkMemory(_ bytes: Int) throws(MemoryError) {
        if let available = MachineMemory.available, bytes > available {
            throw MemoryError(byteCount: bytes, available: available)
        }
    }

    private func refine(
        _ input: [Float],
        areScores: Bool,
        _ classCount: Int,
        _ picture: Image,
        _ threads: Int?,
        _ instructionSet: InstructionSet?,
        _ isCancelled: (() -> Bool)?
    ) throws -> Refinement {
        let filters = try check(input, classCount, picture)
        func checkCancellation() throws { if isCancelled?() == true { throw CancellationError() } }
        try checkCancellation()
        let kernels = try (instructionSet ?? .chosen()).kernels.lattice.pointee
        let pool = ThreadPool(threadCount: threads ?? ThreadPool.availableCores)
        let lattices = try LatticeFilters(picture: picture, filters, kernels, pool: pool)
        try lattices.normalize(normalization, weights: [w1, w2])
        try checkCancellation()

        let (pixels, values) = (lattices.pixelCount, (classCount + 7) / 8 * 8)
        try Self.checkMemory((2 * pixels + lattices.pointCount) * values * 4)
        let data = try AlignedMemory(byteCount: lattices.pointCount * values * 4)
        let logs = try AlignedMemory(byteCount: pixels * values * 4)
        let marginals = try AlignedMemory(byteCount: pixels * values * 4)
        input.withUnsafeBufferPointer { input in
            guard let input = input.baseAddress else { return }
            lattices.forEachPart {
                kernels.start(
                    input,
                    pixels,
                    classCount,
                    areScores ? 1 : 0,
                    $0.lowerBound,
                    $0.upperBound,
                    values,
                    logs.floats(),
                    marginals.floats()
                )
            }
        }
        var corners = lattices.corners()
        for _ in 0..<iterations {
            try checkCancellation()
            lattices.splat(marginals.floats(), values: values, into: data.floats())
            lattices.blur(data.floats(), values: values)
            lattices.forEachPart {
                kernels.update(
                    &corners,
                    data.floats(),
                    values,
                    logs.floats(),
                    $0.lowerBound,
                    $0.upperBound,
                    marginals.floats()
                )
            }
        }
        return try Self.read(marginals.floats(), values: values, classCount, picture, lattices)
    }

    private static func read(
        _ marginals: UnsafePointer<Float>,
        values: Int,
        _ classCount: Int,
        _ picture: Image,
        _ lattices: LatticeFilters
    ) throws -> Refinement {
        let pixels = lattices.pixelCount
        var ids = [UInt16](repeating: 0, count: pixels)
        let probabilities = [Float](unsafeUninitializedCapacity: classCount * pixels) { probabilities, count in
            ids.withUnsafeMutableBufferPointer { ids in
                guard let to = probabilities.baseAddress, let ids = ids.baseAddress else { return }
                lattices.forEachPart {
                    lattices.kernels.read(
                        marginals,
                        values,
                        classCount,
                        $0.lowerBound,
                        $0.upperBound,
                        to,
                        pixels,
                        ids
                    )
                }
            }
            count = classCount * pixels
        }
        return Refinement(
            classes: try LabelMap(width: picture.width, height: picture.height, ids: ids),
            probabilities: probabilities
        )
    }
}
