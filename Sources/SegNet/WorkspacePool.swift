internal import SegNetCPU

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Plans by size, and the workspaces that concurrent callers borrow. Both are bounded: a folder of photos of a thousand sizes
/// must not keep a thousand of either.
final class WorkspacePool: @unchecked Sendable {
    private struct Size: Hashable {
        var height: Int
        var width: Int
    }

    /// A plan is a few kilobytes of steps.
    private static let mostPlans = 16

    private let prepared: PreparedNetwork
    private let threads: Int
    private let limit: Int

    // Guarded by the mutex. Both lists have the one that was used last at their end.
    private var plans: [(size: Size, plan: InferencePlan)] = []
    private var idle: [Workspace] = []
    private var lent = 0

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let returned = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// - Parameters:
    ///   - threads: Of each workspace.
    ///   - limit: Workspaces that exist at most, at least 1.
    init(_ prepared: PreparedNetwork, threads: Int, limit: Int) {
        self.prepared = prepared
        self.threads = threads
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(returned, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(returned)
        mutex.deallocate()
        returned.deallocate()
    }

    /// Calls `body` with a workspace of the size that nobody else uses meanwhile; waits while all are lent.
    /// - Throws: `NetworkError` or `MemoryError` if there is none to be had, and what `body` throws.
    func withWorkspace<Result>(height: Int, width: Int, _ body: (Workspace) throws -> Result) throws -> Result {
        let size = Size(height: height, width: width)
        var workspace = borrow(size)
        defer { giveBack(workspace) }
        let ready: Workspace
        if let workspace { ready = workspace } else { ready = try Workspace(for: plan(size), threads: threads) }
        workspace = ready
        return try body(ready)
    }

    /// How many workspaces wait for a caller. For tests.
    var idleCount: Int {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return idle.count
    }

    /// Waits for the right to use one more workspace. Returns an idle one of the size, or nil if one must be made.
    private func borrow(_ size: Size) -> Workspace? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while lent >= limit { pthread_cond_wait(returned, mutex) }
        lent += 1
        if let index = idle.lastIndex(where: { $0.plan.height == size.height && $0.plan.width == size.width }) {
            return idle.remove(at: index)
        }
        // A new one will be made: idle ones of other sizes give way.
        while !idle.isEmpty, idle.count + lent > limit { idle.removeFirst() }
        return nil
    }

    private func giveBack(_ workspace: Workspace?) {
        pthread_mutex_lock(mutex)
        lent -= 1
        if let workspace { idle.append(workspace) }
        pthread_cond_signal(returned)
        pthread_mutex_unlock(mutex)
    }

    private func plan(_ size: Size) throws -> InferencePlan {
        if let known = withPlans({ $0.first { $0.size == size }?.plan }) { return known }
        // Made without the lock: others go on meanwhile. Two callers may make the same plan once; the later one is kept.
        let made = try prepared.plan(height: size.height, width: size.width, threads: threads)
        withPlans { plans in
            plans.removeAll { $0.size == size }
            plans.append((size, made))
            if plans.count > Self.mostPlans { plans.removeFirst() }
        }
        return made
    }

    private func withPlans<Result>(_ body: (inout [(size: Size, plan: InferencePlan)]) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&plans)
    }
}
