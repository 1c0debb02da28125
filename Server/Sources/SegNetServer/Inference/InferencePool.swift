internal import HTTPTypes
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Threads that decode, segment and encode, and a bounded queue before them. Event loops never compute.
///
/// Beyond the bound a request is refused at once: a client that is told "later" can go elsewhere, one that waits cannot. A request whose
/// deadline passes is answered then, and its place in the queue is free; if it was running, its worker learns of it after the
/// network's next layer.
final class InferencePool: Sendable {
    private struct State {
        var waiting = 0
        var running = 0
        var isStopping = false
        /// A slowly moving average of the time that one job takes, in seconds.
        var average = 0.1
    }

    let workers: Int
    let limit: Int
    private let deadline: Duration
    private let threads: NIOThreadPool
    private let state = Mutex(State())
    private let metrics: ServiceMetrics

    /// - Parameters:
    ///   - workers: Threads, at least 1.
    ///   - limit: The number of jobs that may wait.
    ///   - deadline: How long each may take in all.
    init(workers: Int, limit: Int, deadline: Duration, metrics: ServiceMetrics) {
        self.workers = max(1, workers)
        self.limit = max(0, limit)
        self.deadline = deadline
        self.metrics = metrics
        threads = NIOThreadPool(numberOfThreads: self.workers)
        threads.start()
    }

    /// Work that waits, and work that is being done.
    var load: (waiting: Int, running: Int) { state.withLock { ($0.waiting, $0.running) } }

    /// Refuses early a job that could not be queued now, so that nobody sends a body in vain.
    /// - Throws: `Problem` 503.
    func checkRoom() throws(Problem) {
        if let problem = state.withLock({ problem($0) }) { throw problem }
    }

    /// Does work on a worker's thread.
    /// - Parameters:
    ///   - deadline: When the answer is due.
    ///   - eventLoop: For the timer.
    ///   - work: Given how long it waited and a question whether it may stop.
    /// - Throws: `Problem` 503 at once if there is no room, 504 at the deadline, and what the work throws.
    func perform<Value: Sendable>(
        until deadline: ContinuousClock.Instant,
        on eventLoop: any EventLoop,
        _ work: @escaping @Sendable (_ waited: Duration, _ isCancelled: @escaping @Sendable () -> Bool) throws -> Value
    ) async throws -> Value {
        try enter()
        let job = Job<Value>()
        let timer = eventLoop.scheduleTask(in: max(.zero, deadline - .now).timeAmount) { [self] in
            let (isFirst, wasWaiting) = job.answer(.failure(Self.late))
            guard isFirst else { return }
            metrics.rejected(.deadline)
            if wasWaiting { state.withLock { $0.waiting -= 1 } }
        }
        threads.submit { [self] threadState in
            guard job.begin() else { return }
            guard case .active = threadState else {
                state.withLock { $0.waiting -= 1 }
                job.answer(.failure(stopping()))
                return
            }
            let start = ContinuousClock.now
            state.withLock {
                $0.waiting -= 1
                $0.running += 1
            }
            let result = Result { try work(start - job.created) { job.isAnswered } }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            state.withLock {
                $0.running -= 1
                $0.average += (seconds - $0.average) / 8
            }
            job.answer(result)
        }
        defer { timer.cancel() }
        return try await job.value()
    }

    private func enter() throws(Problem) {
        let refusal: Problem? = state.withLock { state in
            if let problem = problem(state) { return problem }
            state.waiting += 1
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Why no job can be accepted now. Jobs that wait in excess of the free workers count against the limit; a job that
    /// would wait until its deadline is refused now instead of then.
    private func problem(_ state: State) -> Problem? {
        if state.isStopping { return stopping() }
        let ahead = state.waiting - max(0, workers - state.running)
        let seconds = state.average * Double(max(0, ahead)) / Double(workers)
        guard ahead >= limit || seconds > deadline / .seconds(1) else { return nil }
        metrics.rejected(.queueFull)
        return .unavailable(
            ahead >= limit
                ? "The service has as many requests waiting as it takes (\(limit)). Try again after the time in Retry-After."
                : "The service has more requests waiting than it can answer by its deadline. Try again after the time in Retry-After.",
            retryAfter: seconds < 3600 ? Int(seconds.rounded(.up)) : 3600
        )
    }

    private func stopping() -> Problem {
        metrics.rejected(.stopping)
        return .unavailable("The service is shutting down. Try again in a moment.", retryAfter: 1)
    }

    /// The deadline has passed.
    static let late = Problem(
        .gatewayTimeout,
        "The answer was not ready by the service's deadline. Send a smaller picture or fewer samples, or try again later."
    )

    /// Accepts no more jobs; those that were accepted are finished.
    func refuse() { state.withLock { $0.isStopping = true } }

    /// Ends the threads; call it after all work is done.
    func stop() async { try? await threads.shutdownGracefully() }
}
