internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import SegNetToolkit
internal import Synchronization

/// Decides whether one more connection is accepted: up to a limit, and while there are file descriptors. Further ones wait in the system's
/// backlog. Without a free descriptor, accepting would fail at once, again and again, and keep a core busy.
final class ConnectionRoom: AvailableConnectionsDelegate {
    private struct State {
        var open = 0
        /// Why none is accepted now; nil while some are.
        var pause: String?
    }

    private let limit: Int
    private let hasDescriptor: @Sendable () -> Bool
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: The most connections, at least 1.
    ///   - hasDescriptor: Whether the system would give this process one more file descriptor.
    init(
        limit: Int,
        logger: Logger,
        hasDescriptor: @escaping @Sendable () -> Bool = { Descriptors.areLeft }
    ) {
        self.limit = max(1, limit)
        self.logger = logger
        self.hasDescriptor = hasDescriptor
    }

    func connectionOpened() { state.withLock { $0.open += 1 } }
    func connectionClosed() { state.withLock { $0.open -= 1 } }

    /// Called before some are accepted, and when one has closed while none were accepted.
    func isAcceptingNewConnections() -> Bool {
        let open = state.withLock { $0.open }
        var pause = open >= limit ? "as many connections are open as the service takes" : nil
        if pause == nil, !hasDescriptor() { pause = "no file descriptor is left" }
        let isNews = state.withLock { state in
            defer { state.pause = pause }
            return pause != nil && state.pause == nil
        }
        if isNews, let pause {
            logger.warning(
                "new connections wait: \(pause)",
                metadata: ["connections": "\(open)", "limit": "\(limit)"]
            )
        }
        if pause != nil, open == 0 {
            // No connection can close and so cause another call, and none is held up by this thread.
            usleep(50_000)
            return true
        }
        return pause == nil
    }
}
