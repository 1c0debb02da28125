extension Segmenter {
    /// The bytes that one run at a size takes in addition to the model's weights: the network's maps, and scratch for each thread.
    ///
    /// The picture and what is kept of the result come on top. This makes the plan for the size, which a later run reuses.
    /// - Throws: `NetworkError` if the network does not fit the size.
    public func runBytes(width: Int, height: Int) throws -> Int {
        try workspaces.bytes(of: PictureSize(width: width, height: height))
    }

    /// Releases the memory of earlier runs, which is kept for the next run at the same size.
    /// - Parameter bytes: Memory of runs that take no more than this is kept.
    public func releaseIdleMemory(beyond bytes: Int = 0) { workspaces.releaseIdle(beyond: bytes) }

    /// The bytes that are kept for later runs.
    public var idleMemory: Int { workspaces.idleBytes }
}
