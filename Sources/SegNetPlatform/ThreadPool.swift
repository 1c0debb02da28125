internal import CSegNetKernels
internal import Synchronization

/// A fixed team of threads that runs loops together. The calling thread is worker 0.
///
/// Work is claimed one index at a time, so that a thread that loses its core to another process delays only its own
/// item. Between loops workers spin for some microseconds and then sleep: the layers of a network follow each other
/// closely, but a busy wait collapses as soon as another process wants the core.
///
/// One pool serves one caller at a time; concurrent callers bring a pool (a `Workspace`) each.
public final class ThreadPool: @unchecked Sendable {
    /// The number of threads that run a loop, including the caller.
    public let threadCount: Int

    private let team: Team

    /// The number of cores this process may use.
    public static var availableCores: Int { Int(sn_available_cores()) }

    /// - Parameter threadCount: At least 1; more than the machine's cores is allowed and rarely useful.
    public init(threadCount: Int) {
        team = Team(workers: max(1, threadCount) - 1)
        self.threadCount = team.started + 1
    }

    deinit { team.stop() }

    /// Calls `body(worker, index)` once for each index in 0..<count and returns when all calls have returned.
    /// - Parameter body: `worker` is in 0..<threadCount; two calls with the same worker never overlap, so it can index scratch memory.
    public func forEach(_ count: Int, _ body: (_ worker: Int, _ index: Int) -> Void) {
        guard count > 0 else { return }
        if threadCount == 1 || count == 1 {
            for index in 0..<count { body(0, index) }
            return
        }
        withoutActuallyEscaping(body) { team.run(count: count, body: $0) }
    }
}

/// The state that the workers share. They keep it alive, not the pool.
private final class Team: @unchecked Sendable {
    private(set) var started = 0

    // Written by the caller before `generation` moves, read by workers after: the atomic orders them.
    private var body: ((Int, Int) -> Void)?
    private var count = 0

    private let generation = Atomic<Int>(0)
    private let next = Atomic<Int>(0)
    private let running = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let sleepers = Atomic<Int>(0)

    /// Where workers sleep. What they wait for is `generation`.
    private let sleeping = Monitor(())

    /// About 50 microseconds of spinning: longer than the serial part between two layers, shorter than a scheduler's slice.
    private static let spins = 4000

    init(workers: Int) {
        for worker in 0..<workers {
            guard startThread({ self.work(as: worker + 1) }) else { break }
            started += 1
        }
    }

    func run(count: Int, body: @escaping (Int, Int) -> Void) {
        self.body = body
        self.count = count
        next.store(0, ordering: .relaxed)
        running.store(started, ordering: .relaxed)
        generation.add(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake() }
        claim(worker: 0)
        var spun = 0
        while running.load(ordering: .acquiring) > 0 {
            spun += 1
            if spun > Self.spins { sched_yield() } else { pause() }
        }
        self.body = nil
    }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        generation.add(1, ordering: .sequentiallyConsistent)
        wake()
    }

    func work(as worker: Int) {
        var seen = 0
        while true {
            seen = waitForGeneration(after: seen)
            if stopping.load(ordering: .acquiring) { return }
            claim(worker: worker)
            running.subtract(1, ordering: .releasing)
        }
    }

    private func claim(worker: Int) {
        guard let body else { return }
        while true {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(worker, index)
        }
    }

    private func waitForGeneration(after seen: Int) -> Int {
        for _ in 0..<Self.spins {
            let now = generation.load(ordering: .acquiring)
            if now != seen { return now }
            pause()
        }
        sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { sleepers.subtract(1, ordering: .sequentiallyConsistent) }
        return sleeping.wait { _ in
            let now = generation.load(ordering: .sequentiallyConsistent)
            return now == seen ? nil : now
        }
    }

    private func wake() { sleeping.withLock { _ in } }

    @inline(__always)
    private func pause() { sn_pause() }
}
