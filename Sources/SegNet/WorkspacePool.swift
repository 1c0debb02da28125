internal import SegNetCPU
internal import SegNetPlatform

/// Plans by size, and the workspaces that concurrent callers borrow. Both are bounded: a folder of photos of a thousand sizes
/// must not keep a thousand of either.
final class WorkspacePool: Sendable {
    /// A plan is a few kilobytes of steps.
    private static let mostPlans = 16
    /// From this factor on, the number of pixels counts as much larger.
    private static let muchLarger = 4

    private let prepared: PreparedNetwork
    private let threads: Int
    private let limit: Int

    /// Both lists have the one that was used last at their end.
    private struct State {
        var plans: [(size: PictureSize, plan: InferencePlan)] = []
        var idle: [Workspace] = []
        /// For each workspace that is lent, the pixels of its run: a measure of its time.
        var lent: [Int] = []
    }

    private let state = Monitor(State())

    /// - Parameters:
    ///   - threads: Threads of each workspace.
    ///   - limit: The most workspaces that exist, at least 1. One more may exist while all that are lent have much more to do, so that a
    ///     short run does not wait for one that takes seconds.
    init(_ prepared: PreparedNetwork, threads: Int, limit: Int) {
        self.prepared = prepared
        self.threads = threads
        self.limit = limit
    }

    /// Calls `body` with a workspace of the size that nobody else uses meanwhile; waits while all are lent.
    /// - Parameters:
    ///   - runs: How often the body runs the network.
    ///   - givesUp: Asked before waiting, and again after `wake`: true ends the call. It is asked under a lock, so it must not wait.
    /// - Throws: `NetworkError` or `MemoryError` if there is none to be had, `CancellationError` if it gives up, and what `body` throws.
    func withWorkspace<Result>(
        of size: PictureSize,
        runs: Int = 1,
        givesUp: () -> Bool = { false },
        _ body: (Workspace) throws -> Result
    ) throws -> Result {
        let pixels = saturatingProduct(saturatingProduct(size.height, size.width), runs)
        var workspace = try borrow(size, pixels, givesUp)
        defer { giveBack(workspace, pixels) }
        let ready: Workspace
        if let workspace { ready = workspace } else { ready = try Workspace(for: plan(size), threads: threads) }
        workspace = ready
        return try body(ready)
    }

    /// Lets those who wait ask again whether they give up.
    func wake() { state.withLock { _ in } }

    /// The bytes of a workspace for a size.
    func bytes(of size: PictureSize) throws -> Int {
        try plan(size).workspaceBytes(threads: threads)
    }

    /// Frees the idle workspaces that are larger than this.
    func releaseIdle(beyond bytes: Int) {
        // They are freed after the lock.
        var freed: [Workspace] = []
        state.withLock { state in
            freed = state.idle.filter { $0.plan.workspaceBytes(threads: threads) > bytes }
            state.idle.removeAll { $0.plan.workspaceBytes(threads: threads) > bytes }
        }
        withExtendedLifetime(freed) {}
    }

    /// The bytes of all idle workspaces.
    var idleBytes: Int {
        state.withLock { $0.idle.reduce(0) { $0 + $1.plan.workspaceBytes(threads: threads) } }
    }

    /// How many workspaces wait for a caller. For tests.
    var idleCount: Int { state.withLock { $0.idle.count } }

    /// Waits for the right to use one more workspace. Returns an idle one of the size, or nil if one must be made.
    /// - Throws: `CancellationError` if it gives up.
    private func borrow(_ size: PictureSize, _ pixels: Int, _ givesUp: () -> Bool) throws -> Workspace? {
        let lent = state.wait { state -> Result<Workspace?, CancellationError>? in
            guard
                state.lent.count < limit
                    || state.lent.count == limit && state.lent.allSatisfy({ $0 / Self.muchLarger >= pixels })
            else { return givesUp() ? .failure(CancellationError()) : nil }
            state.lent.append(pixels)
            if let index = state.idle.lastIndex(where: { $0.plan.height == size.height && $0.plan.width == size.width })
            {
                return .success(state.idle.remove(at: index))
            }
            // A new one will be made: idle ones of other sizes give way.
            while !state.idle.isEmpty, state.idle.count + state.lent.count > limit { state.idle.removeFirst() }
            return .success(nil)
        }
        return try lent.get()
    }

    private func giveBack(_ workspace: Workspace?, _ pixels: Int) {
        state.withLock { state in
            if let index = state.lent.firstIndex(of: pixels) { state.lent.remove(at: index) }
            if let workspace { state.idle.append(workspace) }
            // One was above the limit. The largest is dropped, since making it again costs the smallest part of the time of its run.
            if state.idle.count > limit,
                let largest = state.idle.indices.max(by: { state.idle[$0].plan.pixels < state.idle[$1].plan.pixels })
            {
                state.idle.remove(at: largest)
            }
        }
    }

    private func plan(_ size: PictureSize) throws -> InferencePlan {
        if let known = state.withLock({ $0.plans.first { $0.size == size }?.plan }) { return known }
        // Made without the lock: others go on meanwhile. Two callers may make the same plan once; the later one is kept.
        let made = try prepared.plan(height: size.height, width: size.width, threads: threads)
        state.withLock { state in
            state.plans.removeAll { $0.size == size }
            state.plans.append((size, made))
            if state.plans.count > Self.mostPlans { state.plans.removeFirst() }
        }
        return made
    }
}

extension InferencePlan {
    fileprivate var pixels: Int { width * height }
}
