internal import SegNetCPU
public import SegNetImages
internal import SegNetTensors

extension Segmenter {
    /// Segments a picture with `samples` sets of dropout masks (Bayesian SegNet): classes and confidence from the mean probability,
    /// uncertainty from the variance. Blocks until it is done.
    ///
    /// What lies before the first dropout is computed once. Source: docs/segnet.md, Dropout and sampling.
    /// - Parameters:
    ///   - samples: At least 1.
    ///   - seed: The same gives the same result, for any number of threads.
    ///   - call: What this call wants otherwise than the options say.
    /// - Throws: `SegmenterError` if the segmenter was not made with `Options.sampling`, or scores are to be kept; else as `segment`.
    public func segment(_ image: Image, samples: Int, seed: UInt64 = 0, _ call: Call = Call()) throws -> Segmentation {
        try segment(MultichannelImage(image), samples: samples, seed: seed, call)
    }

    /// The same of a picture with further channels, such as depth.
    public func segment(_ picture: MultichannelImage, samples: Int, seed: UInt64 = 0, _ call: Call = Call()) throws
        -> Segmentation
    {
        func failure(_ reason: String) -> SegmenterError {
            SegmenterError(network: prepared.network.name, reason: reason)
        }
        guard options.sampling else {
            throw failure("it was not made ready for sampling; make the segmenter with Options(sampling: true).")
        }
        guard samples > 0 else { throw failure("\(samples) samples were asked for; at least 1 is needed.") }
        let keeps = call.keeps ?? options.keeps
        guard !keeps.contains(.scores) else {
            throw failure("scores belong to one sample each and have no mean; keep the probabilities instead.")
        }
        let clock = ContinuousClock()
        let start = clock.now
        let size = runSize(width: picture.width, height: picture.height, call.size ?? options.size)
        let pixels = try input.pixels(of: picture, width: size.width, height: size.height)
        let resized = clock.now
        return try workspaces.withWorkspace(height: size.height, width: size.width) { workspace in
            let waited = clock.now
            input.fill(workspace, with: pixels)
            let filled = clock.now
            try workspace.plan.sample(in: workspace, count: samples, seed: seed) { _, _ in try call.check() }
            let ran = clock.now
            guard let found = workspace.samples(), let shape = workspace.plan.shape(of: scoresBlob) else {
                throw failure("its last blob '\(scoresBlob)' does not hold class scores.")
            }
            let classes = try LabelMap(width: shape[2], height: shape[1], ids: found.classIDs)
            let perPixel: Shape = [shape[1], shape[2]]
            var blobs: [String: FloatMap] = [:]
            for blob in options.blobs {
                blobs[blob] = workspace.planar(blob).map {
                    FloatMap(shape: workspace.plan.shape(of: blob) ?? [], values: $0)
                }
            }
            var result = Segmentation(
                classes: try classes.resized(width: picture.width, height: picture.height, nearest: .center),
                networkClasses: classes,
                classTable: classTable,
                classCount: classCount,
                confidence: keeps.contains(.confidence) ? FloatMap(shape: perPixel, values: found.confidence) : nil,
                scores: nil,
                probabilities: keeps.contains(.probabilities) ? FloatMap(shape: shape, values: found.mean) : nil,
                uncertainty: FloatMap(shape: perPixel, values: found.uncertainty),
                variance: keeps.contains(.variance) ? FloatMap(shape: shape, values: found.variance) : nil,
                blobs: blobs,
                image: try picture.background()
            )
            result.timing = Segmentation.Timing(
                waiting: waited - resized,
                preparation: (resized - start) + (filled - waited),
                network: ran - filled,
                reading: clock.now - ran
            )
            return result
        }
    }
}
