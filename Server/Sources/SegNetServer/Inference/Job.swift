internal import Synchronization

/// One job on its way through the pool. It is answered once: by its worker, or by its deadline, whichever comes first.
final class Job<Value: Sendable>: Sendable {
    private enum Phase {
        case waiting
        case running
        case answered
    }

    private struct State {
        var phase = Phase.waiting
        var continuation: CheckedContinuation<Value, any Error>?
        /// The answer, if it came before the continuation.
        var early: Result<Value, any Error>?
    }

    private let state = Mutex(State())
    let created = ContinuousClock.now

    /// Whether nobody waits for the answer any more.
    var isAnswered: Bool { state.withLock { $0.phase == .answered } }

    /// Suspends until there is an answer.
    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let early = state.withLock { state in
                if state.early == nil { state.continuation = continuation }
                return state.early
            }
            if let early { continuation.resume(with: early) }
        }
    }

    /// Marks the work as begun. False if it was answered meanwhile, by its deadline.
    func begin() -> Bool {
        state.withLock { state in
            guard state.phase == .waiting else { return false }
            state.phase = .running
            return true
        }
    }

    /// Gives the answer, if there is none yet.
    /// - Returns: Whether it was given, and whether the work had not begun.
    @discardableResult
    func answer(_ result: Result<Value, any Error>) -> (isFirst: Bool, wasWaiting: Bool) {
        let (outcome, continuation) = state.withLock {
            (state: inout State) -> ((isFirst: Bool, wasWaiting: Bool), CheckedContinuation<Value, any Error>?) in
            guard state.phase != .answered else { return ((false, false), nil) }
            let wasWaiting = state.phase == .waiting
            state.phase = .answered
            if state.continuation == nil { state.early = result }
            defer { state.continuation = nil }
            return ((true, wasWaiting), state.continuation)
        }
        continuation?.resume(with: result)
        return outcome
    }
}
