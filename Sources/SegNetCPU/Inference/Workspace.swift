import CSegNetKernels
import SegNetGraph
import SegNetNetworks
public import SegNetPlatform

/// The memory and the threads of one caller's runs of one plan. Made once, used for any number of runs, one at a time.
///
/// Not `Sendable` by nature, marked so for hand-over: two callers that use one workspace at the same time would mix their pictures.
/// `Segmenter` lends each to one caller at a time.
public final class Workspace: @unchecked Sendable {
    /// The plan it was made for.
    public let plan: InferencePlan

    private let memory: AlignedMemory
    private let pool: ThreadPool
    private let kernels: sn_kernels

    /// - Parameters:
    ///   - threads: At least 1; nil means all cores that this process may use.
    ///   - memoryLimit: Bytes that the workspace may take; nil means what the machine has free.
    /// - Throws: `MemoryError` if there is not enough memory.
    public init(for plan: InferencePlan, threads: Int? = nil, memoryLimit: Int? = nil) throws(MemoryError) {
        let threads = max(1, threads ?? ThreadPool.availableCores)
        let bytes = plan.workspaceBytes(threads: threads)
        if let limit = memoryLimit ?? MachineMemory.available, bytes > limit {
            let network = plan.prepared.network.resized(height: plan.height, width: plan.width)
            throw MemoryError(
                byteCount: bytes,
                available: limit,
                cause: network.enlargement.map {
                    "layer '\($0.layer)' makes a map of \($0.width)x\($0.height) from a picture of \(plan.width)x\(plan.height)"
                }
            )
        }
        self.plan = plan
        kernels = plan.prepared.options.instructionSet.kernels
        memory = try AlignedMemory(byteCount: bytes)
        pool = ThreadPool(threadCount: threads)
    }

    /// What a step needs to run. A nil step: work outside the steps.
    func run(step: Int? = nil, dropoutSeed: UInt64? = nil) -> Run {
        Run(
            crew: Crew(
                kernels: kernels,
                pool: pool,
                shared: memory.base + (step.map { plan.memory.sharedOffsets[$0] } ?? 0),
                threadScratch: memory.base + plan.memory.byteCount,
                threadStride: plan.threadBytes
            ),
            values: plan.values,
            pictures: 1,
            arena: memory.base,
            offsets: plan.memory.offsets,
            weights: plan.prepared.weights.base,
            dropoutSeed: dropoutSeed
        )
    }

    // MARK: The input

    /// The input's floats, interleaved [H][W][C] in the network's channel order, to be filled before a run.
    package var input: UnsafeMutableBufferPointer<Float> {
        let value = plan.values[.input]
        return UnsafeMutableBufferPointer(
            start: memory.floats(at: plan.memory.offsets[.input]),
            count: value.channels * value.height * value.width
        )
    }

    /// Fills the input from a picture by the network's input description: order, mean, scale.
    package func fillInput(_ picture: InputPicture, order: InputOrder) {
        run().fillInput(picture, order: order, plan.prepared.network.input)
    }

    // MARK: Outputs, valid until the next run

    private func value(_ blob: String) -> ValueID? { plan.prepared.graph.graph.outputs[blob] }

    /// The numbers of an output, planar [C][H][W].
    /// - Returns: nil if the plan does not keep this blob.
    public func planar(_ blob: String) -> [Float]? { value(blob).flatMap(planar) }

    func planar(_ value: ValueID) -> [Float]? {
        let shape = plan.values[value]
        let run = run()
        switch shape.layout {
        case .blocked: return run.planar(value)
        case .half: return nil
        case .thin:
            let pixels = shape.height * shape.width
            let thin = UnsafeBufferPointer(start: run.thin(value).data, count: shape.channels * pixels)
            return thin.indices.map { thin[$0 % pixels * shape.channels + $0 / pixels] }
        case .classIDs: return ids(value).map(Float.init)
        case .indices:
            // The original's form: the flat index into the plane that was pooled.
            guard let words = run.indices(value).data else { return nil }
            var result: [Float] = []
            result.reserveCapacity(shape.channels * shape.height * shape.width)
            for channel in 0..<shape.channels {
                for y in 0..<shape.height {
                    for x in 0..<shape.width {
                        let word = words[(channel / 16 * shape.height + y) * shape.width + x] >> (channel % 16)
                        let row = 2 * y + Int(word >> 16 & 1)
                        result.append(Float(row * shape.pooledWidth + 2 * x + Int(word & 1)))
                    }
                }
            }
            return result
        }
    }

    private func ids(_ value: ValueID) -> UnsafeBufferPointer<UInt16> {
        let shape = plan.values[value]
        return UnsafeBufferPointer(start: run().classIDs(value), count: shape.height * shape.width)
    }

    /// The class of each pixel of an output that holds scores or class ids: the highest id among exactly equal scores.
    public func classIDs(_ blob: String) -> [UInt16]? {
        guard let value = value(blob) else { return nil }
        if plan.values[value].layout == .classIDs { return Array(ids(value)) }
        return perPixel(value) { run, map, target, rows in
            run.kernels.argmax(map, channels: plan.values[value].channels, to: target, rows)
        }
    }

    /// Whether an output of scores, probabilities or class ids is finite. With NaN or infinities in it, its classes mean nothing. Looks at
    /// `CheckedPixels` only.
    package func isFinite(_ blob: String) -> Bool {
        guard let value = value(blob) else { return true }
        let shape = plan.values[value]
        switch shape.layout {
        case .classIDs:
            let ids = ids(value)
            return (0..<shape.height).allSatisfy { row in
                CheckedPixels.columns(row: row, width: shape.width).allSatisfy {
                    ids[row * shape.width + $0] != ArgmaxStep.noClass
                }
            }
        case .blocked:
            let map = run().map(value)
            return (0..<shape.height).allSatisfy { map.pixelsNotFinite(row: $0, channels: shape.channels).isEmpty }
        case .half, .thin, .indices: return true
        }
    }

    /// The greatest softmax probability of each pixel of an output that holds scores.
    public func confidence(_ blob: String) -> [Float]? {
        guard let value = value(blob) else { return nil }
        return perPixel(value) { run, map, target, rows in
            run.kernels.confidence(map, channels: plan.values[value].channels, to: target, rows)
        }
    }

    /// Softmax probabilities [K][H][W] of an output that holds scores. Overwrites the scores.
    public func probabilities(_ blob: String) -> [Float]? {
        guard let value = value(blob), plan.values[value].layout == .blocked else { return nil }
        SoftmaxStep(input: value, output: value).forward(run())
        return planar(blob)
    }

    /// One number per pixel of a blocked map, by a kernel that takes rows; nil for any other layout.
    private func perPixel<Element>(
        _ value: ValueID,
        _ body: (Run, sn_map, UnsafeMutablePointer<Element>, _ rows: Range<Int>) -> Void
    ) -> [Element]? {
        let shape = plan.values[value]
        guard shape.layout == .blocked else { return nil }
        let run = run()
        return [Element](unsafeUninitializedCapacity: shape.height * shape.width) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            run.forEachRows(value) { body(run, run.map(value), target, $1) }
            count = shape.height * shape.width
        }
    }
}
