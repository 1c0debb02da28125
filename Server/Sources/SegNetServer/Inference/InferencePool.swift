internal import HTTPTypes
internal import NIOCore
internal import NIOPosix
internal import SegNetToolkit
internal import Synchronization

/// Threads that decode, segment and encode, and a bounded queue before them. Event loops never compute.
///
/// Beyond the bound a request is refused at once: a client that is told "later" can go elsewhere, one that waits cannot. A request whose
/// deadline passes is answered then, one whose client has gone is dropped; the place in the queue is free, and if it was running, its
/// worker learns of it after the network's next layer. `FairQueue` has the order.
final class InferencePool: Sendable {
    /// A job that waits: how to do it, and how to say that it will not be done.
    private struct Waiting: Sendable {
        var work: @Sendable () -> Void
        var refuse: @Sendable (Problem) -> Void
    }

    private struct State {
        var queue = FairQueue<Waiting>()
        var running = 0
        /// How many of these are expensive.
        var runningExpensive = 0
        var isStopping = false
        /// A slowly moving average of the time that work of price 1 takes, in seconds.
        var average = 0.1
    }

    /// Who asks, and for how much.
    struct Order: Sendable {
        /// Whose share of the workers it counts against: the address of the connection.
        var client = ""
        /// About how long it takes, in runs of a usual network at its own size.
        var price = 1.0
        /// Whether nobody is there any more to take the answer.
        var isGone: @Sendable () -> Bool = { false }

        /// Whether its run in the network is so much longer than a usual one that it can be held up without short runs waiting for it.
        var canPause = false

        /// Whether others notice this work: it takes as long as several runs of a usual network, or is a picture of twelve megapixels.
        var isExpensive: Bool { price >= 4 }
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
    var load: (waiting: Int, running: Int) { state.withLock { ($0.queue.count, $0.running) } }

    /// Refuses early a job that could not be queued now, so that nobody sends a body in vain.
    /// - Throws: `Problem` 503.
    func checkRoom(for order: Order = Order()) throws(Problem) {
        if let problem = state.withLock({ problem($0, order) }) { throw problem }
    }

    /// Does work on a worker's thread.
    /// - Parameters:
    ///   - deadline: When the answer is due.
    ///   - eventLoop: For the timers.
    ///   - work: Given how long it waited and a question whether it may stop.
    /// - Throws: `Problem` 503 at once if there is no room, 504 at the deadline, 499 once the client has gone, and what the work throws.
    func perform<Value: Sendable>(
        _ order: Order = Order(),
        until deadline: ContinuousClock.Instant,
        on eventLoop: any EventLoop,
        _ work: @escaping @Sendable (_ waited: Duration, _ isCancelled: @escaping @Sendable () -> Bool) throws -> Value
    ) async throws -> Value {
        let job = Job<Value>()
        let id = try enter(
            order,
            Waiting(
                work: { [self] in run(job, order, work) },
                refuse: { job.answer(.failure($0)) }
            )
        )
        threads.submit { [self] threadState in
            guard case .active = threadState else { return stopOne() }
            takeNext()
        }
        let give: @Sendable (Problem, ServiceMetrics.Rejection) -> Void = { [self] problem, reason in
            guard job.answer(.failure(problem)).isFirst else { return }
            metrics.rejected(reason)
            _ = state.withLock { $0.queue.remove(id: id) }
        }
        let timer = eventLoop.scheduleTask(in: max(.zero, deadline - .now).timeAmount) { give(Self.late, .deadline) }
        let watch = eventLoop.scheduleRepeatedTask(initialDelay: Self.watchTime, delay: Self.watchTime) { _ in
            if order.isGone() { give(Self.gone, .clientGone) }
        }
        defer {
            timer.cancel()
            watch.cancel()
        }
        return try await job.value()
    }

    /// How soon it is noticed that a client has gone.
    private static let watchTime = TimeAmount.milliseconds(100)

    /// Works until nothing is left that may be started. This is called once for each job that was ever queued. It finds one job fewer if
    /// its own has been dropped, or was taken by a worker that continued.
    private func takeNext() {
        while let entry = begin() {
            entry.element.work()
            state.withLock {
                $0.running -= 1
                if Order(price: entry.price).isExpensive { $0.runningExpensive -= 1 }
                $0.queue.finish(client: entry.client)
            }
        }
    }

    /// The next piece of work. If there are several workers, one is kept for cheap work: expensive work can hold the others for seconds.
    private func begin() -> FairQueue<Waiting>.Entry? {
        state.withLock { state in
            let isFull = workers > 1 && state.runningExpensive >= workers - 1
            guard let entry = state.queue.next(where: { !isFull || !Order(price: $0.price).isExpensive }) else {
                return nil
            }
            state.running += 1
            if Order(price: entry.price).isExpensive { state.runningExpensive += 1 }
            return entry
        }
    }

    /// Lets cheap work have the processor. Expensive work calls this between two layers, and waits while cheap work is being done, up to a
    /// limit.
    private func giveWay() {
        let end = ContinuousClock.now + Self.longestPause
        while state.withLock({ $0.running > $0.runningExpensive }), ContinuousClock.now < end { usleep(1000) }
    }

    /// The limit of one wait. A network has some dozens of layers: even if it waits before each, it ends.
    private static let longestPause = Duration.milliseconds(100)

    private func run<Value: Sendable>(
        _ job: Job<Value>,
        _ order: Order,
        _ work: @Sendable (_ waited: Duration, _ isCancelled: @escaping @Sendable () -> Bool) throws -> Value
    ) {
        guard job.begin() else { return }
        let start = ContinuousClock.now
        let result = Result {
            try work(start - job.created) {
                if order.canPause, order.isExpensive, !job.isAnswered { self.giveWay() }
                return job.isAnswered
            }
        }
        if case .success = result {
            let seconds = (ContinuousClock.now - start) / .seconds(1) / order.price
            state.withLock { $0.average += (seconds - $0.average) / 8 }
        }
        job.answer(result)
    }

    /// The threads end, although something waits.
    private func stopOne() {
        let entry = state.withLock { state in
            let entry = state.queue.next()
            if let entry { state.queue.finish(client: entry.client) }
            return entry
        }
        entry?.element.refuse(stopping())
    }

    private func enter(_ order: Order, _ waiting: Waiting) throws(Problem) -> UInt64 {
        let (outcome, displaced) = state.withLock { state -> (Result<UInt64, Problem>, FairQueue<Waiting>.Entry?) in
            if let problem = problem(state, order) { return (.failure(problem), nil) }
            var displaced: FairQueue<Waiting>.Entry?
            if ahead(state) >= limit {
                displaced = state.queue.removeLast(after: state.queue.tag(client: order.client, price: order.price))
            }
            return (.success(state.queue.add(waiting, client: order.client, price: order.price)), displaced)
        }
        if let displaced {
            metrics.rejected(.queueFull)
            displaced.element.refuse(full(seconds: 1))
        }
        return try outcome.get()
    }

    /// Jobs that wait in excess of the free workers.
    private func ahead(_ state: State) -> Int { state.queue.count - max(0, workers - state.running) }

    /// Why a job cannot be accepted now: the queue is full of what comes before it, or it would wait until its deadline.
    private func problem(_ state: State, _ order: Order) -> Problem? {
        if state.isStopping { return stopping() }
        let tag = state.queue.tag(client: order.client, price: order.price)
        let price = state.queue.price(before: tag, free: workers - state.running)
        let seconds = state.average * price / Double(workers)
        let displaces = state.queue.entries.last.map { $0.tag > tag } ?? false
        let isFull = ahead(state) >= limit && !displaces
        guard isFull || seconds > deadline / .seconds(1) else { return nil }
        metrics.rejected(.queueFull)
        let wait = seconds < 3600 ? Int(seconds.rounded(.up)) : 3600
        return isFull
            ? full(seconds: wait)
            : .unavailable(
                "The service has more requests waiting than it can answer by its deadline. Try again after the time in Retry-After.",
                retryAfter: wait
            )
    }

    private func full(seconds: Int) -> Problem {
        .unavailable(
            "The service has as many requests waiting as it takes (\(limit)). Try again after the time in Retry-After.",
            retryAfter: seconds
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

    /// The status for the log and the metrics alone, since nobody is there to read it; other servers use this number as well.
    static let gone = Problem(
        HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"),
        "The client closed the connection before its answer was ready."
    )

    /// Accepts no more jobs; those that were accepted are finished.
    func refuse() { state.withLock { $0.isStopping = true } }

    /// Ends the threads; call it after all work is done.
    func stop() async { try? await threads.shutdownGracefully() }
}
