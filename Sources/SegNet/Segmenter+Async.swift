public import SegNetImages

extension Segmenter {
    /// Segments a picture of any size on a thread of the segmenter's own: Swift's threads for tasks stay free.
    /// - Throws: `CancellationError` after the network's next step once the task is cancelled; otherwise as the form that blocks.
    public func segment(_ image: Image, _ request: Request = Request()) async throws -> Segmentation {
        try await segment(MultichannelImage(image), request)
    }

    /// The same for a picture with further channels, such as depth.
    public func segment(_ picture: MultichannelImage, _ request: Request = Request()) async throws -> Segmentation {
        try await withTaskExecutorPreference(threads) { try result(of: picture, request.askingTask()) }
    }
}

extension Segmenter.Request {
    /// Also ends when the task that runs it is cancelled.
    func askingTask() -> Self {
        var request = self
        request.isCancelled = { [isCancelled] in Task.isCancelled || isCancelled?() == true }
        return request
    }
}
