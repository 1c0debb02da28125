public import SegNetImages

extension Segmenter {
    /// Segments a picture of any size on a thread of the segmenter's own: Swift's threads for tasks stay free.
    /// - Throws: `CancellationError` once the task is cancelled: after the network's next step, or at once where the call waits for another
    ///   to end. A call that has no thread yet, since `Options.maximumConcurrency + 1` others have, ends when it gets one. Otherwise as the
    ///   form that blocks.
    public func segment(_ image: Image, _ request: Request = Request()) async throws -> Segmentation {
        try await segment(MultichannelImage(image), request)
    }

    /// The same for a picture with further channels, such as depth.
    public func segment(_ picture: MultichannelImage, _ request: Request = Request()) async throws -> Segmentation {
        try await withTaskExecutorPreference(threads) {
            try await endingWait { try result(of: picture, request.askingTask()) }
        }
    }

    /// Does work that makes requests `askingTask`: those of them that wait for a workspace ask when the task is cancelled.
    func endingWait<Result: Sendable>(_ work: () throws -> Result) async throws -> Result {
        try await withTaskCancellationHandler {
            try work()
        } onCancel: {
            workspaces.wake()
        }
    }
}

extension Segmenter.Request {
    /// Also ends when the task that runs it is cancelled.
    func askingTask() -> Self {
        var request = self
        request.asksTask = true
        request.isCancelled = { [isCancelled] in Task.isCancelled || isCancelled?() == true }
        return request
    }
}
