/// State that several threads share, and for whose changes they can wait.
package final class Monitor<State>: @unchecked Sendable {
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// Reads or changes the state; those who wait look at it again.
    package func withLock<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Reads the state. Those who wait are not woken: what is asked between two layers of a network would wake them all the time.
    package func look<Result>(_ body: (State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(state)
    }

    /// Waits until `body`, which is asked again after each change, gives a value. It may change the state when it does.
    package func wait<Result>(for body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        while true {
            if let result = body(&state) { return result }
            pthread_cond_wait(changed, mutex)
        }
    }
}

/// Starts a thread that ends when `body` returns.
/// - Returns: Whether the system had one more thread to give.
package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        static func run(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
            Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }
    }
    let start = Unmanaged.passRetained(Start(body))
    #if os(Linux)
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, { $0.flatMap(Start.run) }, start.toOpaque())
    #else
        var thread: pthread_t?
        let result = pthread_create(&thread, nil, { Start.run($0) }, start.toOpaque())
    #endif
    guard result == 0 else {
        start.release()
        return false
    }
    #if os(Linux)
        pthread_detach(thread)
    #else
        if let thread { pthread_detach(thread) }
    #endif
    return true
}
