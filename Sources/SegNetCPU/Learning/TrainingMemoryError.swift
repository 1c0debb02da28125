public import SegNetPlatform

/// Training would take more memory than there is.
public struct TrainingMemoryError: Error, Hashable, CustomStringConvertible {
    /// Pictures that were to run together.
    public let batchSize: Int
    /// Height of the pictures, in pixels.
    public let height: Int
    /// Width of the pictures, in pixels.
    public let width: Int
    /// Bytes that a step takes, or a whole training.
    public let byteCount: Int
    /// Bytes that there are.
    public let available: Int
    /// The largest batch that would fit; 0 if none does.
    public let fittingBatchSize: Int
    /// The size of whole pictures, where validation on them takes more than a step.
    public var wholePictures: PictureSize?
    /// Whether the training would fit, and only the wider model does not from which it starts.
    public var isOfStart: Bool

    package init(
        batchSize: Int,
        height: Int,
        width: Int,
        byteCount: Int,
        available: Int,
        fittingBatchSize: Int,
        wholePictures: PictureSize? = nil,
        isOfStart: Bool = false
    ) {
        self.batchSize = batchSize
        self.height = height
        self.width = width
        self.byteCount = byteCount
        self.available = available
        self.fittingBatchSize = fittingBatchSize
        self.wholePictures = wholePictures
        self.isOfStart = isOfStart
    }

    public var description: String {
        if isOfStart {
            return
                "a training that starts from a wider model takes \(byteCount >> 20) MiB while that is cut, but only \(available >> 20) MiB are available; "
                + "start from a narrower \(UserChoice.model), or close other programs."
        }
        let next =
            fittingBatchSize > 0
            ? "a \(UserChoice.batchSize) of \(fittingBatchSize) would fit."
            : "not even one picture fits; use a smaller \(UserChoice.size)\(wholePictures == nil ? " or crop" : "")."
        if let wholePictures {
            return
                "a training with batches of \(counted(batchSize, "picture")) of \(width)x\(height), and with validation and statistics on whole "
                + "pictures of \(wholePictures), takes \(byteCount >> 20) MiB, but only \(available >> 20) MiB are "
                + "available; \(next)"
        }
        return
            "a training step with \(counted(batchSize, "picture")) of \(width)x\(height) takes \(byteCount >> 20) MiB, "
            + "but only \(available >> 20) MiB are available; \(next)"
    }
}
