import CSegNetKernels
import SegNetNetworks
public import SegNetTensors

/// The memory and the threads of one caller's runs of one plan. Made once, used for any number of runs, one at a time.
///
/// Not `Sendable` by nature, marked so for hand-over: two callers that use one workspace at the same time would mix their pictures.
/// `Segmenter` lends each to one caller at a time.
public final class Workspace: @unchecked Sendable {
    /// The plan it was made for.
    public let plan: InferencePlan
    /// How many threads a run uses.
    public var threadCount: Int { pool.threadCount }

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
            throw MemoryError(byteCount: bytes, available: limit)
        }
        self.plan = plan
        kernels = plan.prepared.options.instructionSet.kernels
        memory = try AlignedMemory(byteCount: bytes)
        pool = ThreadPool(threadCount: threads)
    }

    func run(shared: Int, sampleSeed: UInt64? = nil) -> Run {
        Run(
            crew: Crew(
                kernels: kernels,
                pool: pool,
                shared: memory.base + shared,
                threadScratch: memory.base + plan.arenaBytes,
                threadStride: plan.threadBytes
            ),
            placements: plan.placements,
            arena: memory.base,
            weights: plan.prepared.weights.base,
            sampleSeed: sampleSeed
        )
    }

    // MARK: The input

    /// The input's floats, interleaved [H][W][C] in the network's channel order, to be filled before a run.
    public var input: UnsafeMutableBufferPointer<Float> {
        let place = plan.placements[plan.input.index]
        return UnsafeMutableBufferPointer(
            start: memory.floats(at: place.offset),
            count: place.channels * place.height * place.width
        )
    }

    /// Fills the input from 8-bit pixels by the network's input description: order, mean, scale.
    /// - Parameters:
    ///   - pixels: height * rowBytes bytes; pixel (y, x) begins at y * rowBytes + x * pixelBytes.
    ///   - order: For each channel of the network the byte within the pixel.
    public func fillInput(_ pixels: UnsafeBufferPointer<UInt8>, rowBytes: Int, pixelBytes: Int, order: [Int32]) {
        let description = plan.prepared.network.input
        var thin = run(shared: 0).thin(plan.input)
        precondition(
            order.count == thin.channels && pixels.count >= thin.height * rowBytes
                && rowBytes >= thin.width * pixelBytes
        )
        guard let source = pixels.baseAddress else { return }
        let run = run(shared: 0)
        withUnsafePointer(to: &thin) { thin in
            run.forEachPiece(blocks: 1, height: thin.pointee.height, width: thin.pointee.width) {
                run.kernels.picture(
                    source,
                    rowBytes,
                    pixelBytes,
                    order,
                    description.mean,
                    description.scale,
                    thin,
                    $1,
                    $2
                )
            }
        }
    }

    /// Fills the input from 8-bit pixels and planes of 16 bits by the network's input description.
    /// - Parameters:
    ///   - pixels: [height, width, pixelBytes], without gaps.
    ///   - planes: [height, width] each, 257 to a step of the pixels'.
    package func fillInput(_ pixels: [UInt8], pixelBytes: Int, planes: [[UInt16]], order: InputOrder) {
        let thin = run(shared: 0).thin(plan.input)
        if order.readsBytes {
            pixels.withUnsafeBufferPointer {
                fillInput($0, rowBytes: thin.width * pixelBytes, pixelBytes: pixelBytes, order: order.bytes)
            }
        }
        guard !order.planes.isEmpty else { return }
        precondition(planes.allSatisfy { $0.count == thin.height * thin.width })
        let description = plan.prepared.network.input
        run(shared: 0).forEachPiece(blocks: 1, height: thin.height, width: thin.width) {
            order.fillPlanes(planes, mean: description.mean, scale: description.scale, thin, rows: $1..<$2)
        }
    }

    // MARK: Outputs, valid until the next run

    /// The numbers of an output, planar [C][H][W].
    /// - Returns: nil if the plan does not keep this blob.
    public func planar(_ blob: String) -> [Float]? {
        plan.prepared.graph.outputs[blob].flatMap(planar)
    }

    func planar(_ value: ValueID) -> [Float]? {
        let place = plan.placements[value.index]
        let run = run(shared: 0)
        switch place.layout {
        case .blocked:
            var map = run.map(value)
            return [Float](unsafeUninitializedCapacity: place.channels * place.height * place.width) { buffer, count in
                guard let target = buffer.baseAddress else { return }
                withUnsafePointer(to: &map) { map in
                    run.forEachPiece(blocks: 1, height: place.height, width: place.width) {
                        run.kernels.unblock_planar(map, place.channels, target, $1, $2)
                    }
                }
                count = place.channels * place.height * place.width
            }
        case .thin:
            let floats = memory.floats(at: place.offset)
            let pixels = place.height * place.width
            return (0..<place.channels * pixels).map { floats[$0 % pixels * place.channels + $0 / pixels] }
        case .classIDs:
            let ids = run.classIDs(value)
            return (0..<place.height * place.width).map { Float(ids[$0]) }
        case .indices:
            // The original's form: the flat index into the plane that was pooled.
            let indices = run.indices(value)
            guard let words = indices.data, let from = plan.pooledShape(of: value) else { return nil }
            var result: [Float] = []
            result.reserveCapacity(place.channels * place.height * place.width)
            for channel in 0..<place.channels {
                for y in 0..<place.height {
                    for x in 0..<place.width {
                        let word = words[(channel / 16 * place.height + y) * place.width + x] >> (channel % 16)
                        let row = 2 * y + Int(word >> 16 & 1)
                        result.append(Float(row * from.width + 2 * x + Int(word & 1)))
                    }
                }
            }
            return result
        }
    }

    /// The class of each pixel of an output that holds scores or class ids: the highest id among exactly equal scores.
    public func classIDs(_ blob: String) -> [UInt16]? {
        guard let value = plan.prepared.graph.outputs[blob] else { return nil }
        let place = plan.placements[value.index]
        if place.layout == .classIDs {
            return Array(UnsafeBufferPointer(start: run(shared: 0).classIDs(value), count: place.height * place.width))
        }
        return perPixel(value) { run, map, channels, target, first, last in
            run.kernels.argmax(map, channels, target, first, last)
        }
    }

    /// The greatest softmax probability of each pixel of an output that holds scores.
    public func confidence(_ blob: String) -> [Float]? {
        guard let value = plan.prepared.graph.outputs[blob] else { return nil }
        return perPixel(value) { run, map, channels, target, first, last in
            run.kernels.confidence(map, channels, target, first, last)
        }
    }

    /// Softmax probabilities [K][H][W] of an output that holds scores. Overwrites the scores.
    public func probabilities(_ blob: String) -> [Float]? {
        guard let value = plan.prepared.graph.outputs[blob] else { return nil }
        let place = plan.placements[value.index]
        guard place.layout == .blocked else { return nil }
        SoftmaxStep(input: value, output: value).run(run(shared: 0))
        return planar(blob)
    }

    /// One number per pixel of a blocked map, by a kernel that takes rows [first, last); nil for any other layout.
    private func perPixel<Element>(
        _ value: ValueID,
        _ body: (Run, UnsafePointer<sn_map>, _ channels: Int, UnsafeMutablePointer<Element>, _ first: Int, _ last: Int)
            -> Void
    ) -> [Element]? {
        let place = plan.placements[value.index]
        guard place.layout == .blocked else { return nil }
        let run = run(shared: 0)
        var map = run.map(value)
        let pixels = place.height * place.width
        return [Element](unsafeUninitializedCapacity: pixels) { buffer, count in
            guard let target = buffer.baseAddress else { return }
            withUnsafePointer(to: &map) { map in
                run.forEachPiece(blocks: 1, height: place.height, width: place.width) {
                    body(run, map, place.channels, target, $1, $2)
                }
            }
            count = pixels
        }
    }
}

extension InferencePlan {
    /// The shape of the map that pooling indices point into.
    func pooledShape(of value: ValueID) -> Shape? {
        guard case .layer(let index, let output) = prepared.graph.origins[value.index],
            let shapes = try? prepared.network.resized(height: height, width: width).shapes()
        else { return nil }
        return shapes.layers[index].outputs[output].pooledFrom
    }
}
