internal import SegNetPlatform

/// Threads that decode pictures and run networks, so that neither a caller nor Swift's few threads for tasks are held up by them. They are
/// started when there is work for them and wait for more until the segmenter is gone.
final class WorkerThreads: TaskExecutor {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var started = 0
        var busy = 0
        var isStopping = false
    }

    private let limit: Int
    private let state = Monitor(State())

    /// - Parameter limit: Threads at most, at least 1.
    init(limit: Int) { self.limit = limit }

    deinit { state.withLock { $0.isStopping = true } }

    /// Does a piece of work on one of the threads, in the order of the calls; on the caller's own if the system has no thread to give.
    func submit(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.started < limit, state.started - state.busy < state.jobs.count else { return false }
            state.started += 1
            return true
        }
        guard needsThread, !startThread({ [state] in Self.work(state) }) else { return }
        let isAlone = state.withLock { state in
            state.started -= 1
            return state.started == 0
        }
        guard isAlone else { return }
        while let job = state.withLock({ $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }) { job() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        submit { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    private static func work(_ state: Monitor<State>) {
        while true {
            let job: (@Sendable () -> Void)? = state.wait { state in
                guard !state.jobs.isEmpty else { return state.isStopping ? .some(nil) : nil }
                state.busy += 1
                return .some(state.jobs.removeFirst())
            }
            guard let job else { return }
            job()
            state.withLock { $0.busy -= 1 }
        }
    }
}
