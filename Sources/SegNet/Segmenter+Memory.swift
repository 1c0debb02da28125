extension Segmenter {
    /// The bytes that one run at a size takes beside the model's weights: the network's maps, and scratch for each thread.
    ///
    /// What is kept of the result, and the picture, come on top. Makes the plan for the size, which a run then finds made.
    /// - Throws: `NetworkError` if the network does not fit the size.
    public func runBytes(width: Int, height: Int) throws -> Int {
        try workspaces.bytes(height: height, width: width)
    }

    /// Gives back the memory of earlier runs, which is kept for the next of the same size.
    /// - Parameter bytes: Runs that take no more than this keep theirs.
    public func releaseIdleMemory(beyond bytes: Int = 0) { workspaces.releaseIdle(beyond: bytes) }

    /// The bytes that are kept for the next runs.
    public var idleMemory: Int { workspaces.idleBytes }
}
