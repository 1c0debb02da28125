internal import SegNetCPU
public import SegNetImages
internal import SegNetTensors

extension Segmenter {
    /// Segments a picture with test-time augmentation: the classes of the mean of the class probabilities over its views. Blocks until it
    /// is done.
    ///
    /// Each view's probabilities are resized to the picture's size and summed there, so everything of the result has the picture's size.
    /// Takes K x H x W x 4 bytes for the sum, whatever the number of views, and as many runs of the network as there are views.
    /// - Throws: `SegmenterError` if scores or inner blobs are to be kept, which belong to one view each; `MemoryError` if there is no memory
    ///   for the sum; else as `segment`.
    public func segment(_ image: Image, augmentation: TestTimeAugmentation) throws -> Segmentation {
        try segment(MultichannelImage(image), augmentation: augmentation)
    }

    /// The same of a picture with further channels, such as depth.
    public func segment(_ picture: MultichannelImage, augmentation: TestTimeAugmentation) throws -> Segmentation {
        guard augmentation != .none else { return try segment(picture) }
        try needScores()
        func failure(_ reason: String) -> SegmenterError {
            SegmenterError(network: prepared.network.name, reason: reason)
        }
        guard !augmentation.scales.isEmpty, augmentation.scales.allSatisfy(TestTimeAugmentation.scaleRange.contains)
        else {
            throw failure(
                "its views are to have the scales \(augmentation.scales); give at least one, each in "
                    + "\(TestTimeAugmentation.scaleRange.lowerBound)...\(TestTimeAugmentation.scaleRange.upperBound)."
            )
        }
        guard !options.keeps.contains(.scores), options.blobs.isEmpty else {
            throw failure("scores and inner blobs belong to one view each and have no mean; keep the probabilities.")
        }
        let bytes = classCount * picture.width * picture.height * MemoryLayout<Float>.stride
        if let available = MachineMemory.available, bytes > available {
            throw MemoryError(byteCount: bytes, available: available)
        }
        var timing = Segmentation.Timing()
        var sum = ProbabilitySum(classCount: classCount, width: picture.width, height: picture.height)
        let base = runSize(width: picture.width, height: picture.height, options.size)
        for scale in augmentation.scales {
            let width = max(1, Int((Double(base.width) * scale).rounded()))
            let height = max(1, Int((Double(base.height) * scale).rounded()))
            try add(picture, width: width, height: height, flip: augmentation.flip, to: &sum, &timing)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let (ids, confidence) = sum.best()
        let classes = try LabelMap(width: picture.width, height: picture.height, ids: ids)
        let perPixel: Shape = [picture.height, picture.width]
        let keeps = options.keeps
        var result = Segmentation(
            classes: classes,
            networkClasses: classes,
            classTable: classTable,
            classCount: classCount,
            confidence: keeps.contains(.confidence) ? FloatMap(shape: perPixel, values: confidence) : nil,
            scores: nil,
            probabilities: keeps.contains(.probabilities)
                ? FloatMap(shape: [classCount, picture.height, picture.width], values: sum.mean()) : nil,
            blobs: [:],
            image: try picture.background()
        )
        timing.reading += clock.now - start
        result.timing = timing
        return result
    }

    /// Runs the network on the picture at one size, and mirrored if `flip` asks for it. A view and its mirror are added to each other first:
    /// a sum of two does not depend on their order, so a mirrored picture gives the mirrored result to the bit.
    private func add(
        _ picture: MultichannelImage,
        width: Int,
        height: Int,
        flip: Bool,
        to sum: inout ProbabilitySum,
        _ timing: inout Segmentation.Timing
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        var pixels = try input.pixels(of: picture, width: width, height: height)
        let resized = clock.now
        timing.preparation += resized - start
        try workspaces.withWorkspace(height: height, width: width) { workspace in
            var mark = clock.now
            timing.waiting += mark - resized
            func lap(_ part: WritableKeyPath<Segmentation.Timing, Duration>) {
                let now = clock.now
                timing[keyPath: part] += now - mark
                mark = now
            }
            func probabilities() throws -> (values: [Float], shape: Shape) {
                input.fill(workspace, with: pixels)
                lap(\.preparation)
                workspace.plan.run(in: workspace)
                lap(\.network)
                guard let values = workspace.probabilities(scoresBlob), let shape = workspace.plan.shape(of: scoresBlob)
                else {
                    throw SegmenterError(
                        network: prepared.network.name,
                        reason: "its last blob '\(scoresBlob)' does not hold class scores."
                    )
                }
                return (values, shape)
            }
            var (values, shape) = try probabilities()
            if flip {
                lap(\.reading)
                pixels.mirror()
                Self.add(mirrored: try probabilities().values, rowsOf: shape[2], to: &values)
            }
            sum.add(values, width: shape[2], height: shape[1], views: flip ? 2 : 1)
            lap(\.reading)
        }
    }

    /// Adds maps whose rows are turned left to right.
    private static func add(mirrored maps: [Float], rowsOf width: Int, to values: inout [Float]) {
        values.withUnsafeMutableBufferPointer { values in
            maps.withUnsafeBufferPointer { maps in
                for start in stride(from: 0, to: maps.count, by: width) {
                    for x in 0..<width { values[start + x] += maps[start + width - 1 - x] }
                }
            }
        }
    }
}

extension NetworkInput.Pixels {
    /// Turns each row left to right.
    mutating func mirror() {
        let (width, height, bytes) = (width, height, pixelBytes)
        samples.withUnsafeMutableBufferPointer { samples in
            for row in 0..<(bytes > 0 ? height : 0) {
                for x in 0..<width / 2 {
                    for byte in 0..<bytes {
                        samples.swapAt((row * width + x) * bytes + byte, ((row + 1) * width - 1 - x) * bytes + byte)
                    }
                }
            }
        }
        for plane in planes.indices {
            for row in 0..<height { planes[plane][row * width..<(row + 1) * width].reverse() }
        }
    }
}
