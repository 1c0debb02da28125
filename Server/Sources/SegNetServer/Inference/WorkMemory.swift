import HTTPTypes
import SegNetToolkit
import Synchronization

/// The memory that requests need. If an allocation fails in the middle of a decoder, the process ends, with everything that it has
/// accepted. So requests for which there is no room are refused before.
final class WorkMemory: Sendable {
    /// Bytes that are left for everything else: connections, the log, threads.
    static let spare = 48 << 20

    private let reserved = Mutex(0)
    private let available: @Sendable () -> Int?
    private let metrics: ServiceMetrics

    /// - Parameter available: Bytes that the process could take now; nil: the system does not say.
    init(metrics: ServiceMetrics, available: @escaping @Sendable () -> Int?) {
        self.metrics = metrics
        self.available = available
    }

    /// Memory of one picture; it is released with the last reference.
    final class Reservation: Sendable {
        private let memory: WorkMemory
        private let bytes: Int

        fileprivate init(_ memory: WorkMemory, _ bytes: Int) {
            self.memory = memory
            self.bytes = bytes
        }

        deinit { memory.reserved.withLock { $0 -= bytes } }
    }

    /// - Throws: `Problem` 503 if there is no room for so many bytes in addition to the work in progress.
    func reserve(bytes: Int) throws(Problem) -> Reservation {
        guard let reservation = room(for: bytes) else {
            metrics.rejected(.noMemory)
            throw Problem.unavailable(
                "The service does not have the \(max(1, bytes >> 20)) MiB left that this picture needs. Try again in a moment, "
                    + "or send a smaller picture.",
                retryAfter: 2
            )
        }
        return reservation
    }

    /// Room for a body that grows, until its memory has been taken.
    /// - Throws: `Problem` 503 if there is none.
    func reserve(forBody bytes: Int) throws(Problem) -> Reservation {
        guard let reservation = room(for: bytes) else {
            metrics.rejected(.noMemory)
            throw Problem.unavailable(
                "The service does not have the memory left to receive this picture. Try again in a moment, or send a smaller picture.",
                retryAfter: 1
            )
        }
        return reservation
    }

    private func room(for bytes: Int) -> Reservation? {
        let room = available()
        let fits = reserved.withLock { reserved in
            // Reserved bytes may be in use already, and then count twice. It is better to refuse one request too many than to end the
            // process.
            if let room, bytes + reserved + Self.spare > room { return false }
            reserved += bytes
            return true
        }
        return fits ? Reservation(self, bytes) : nil
    }
}
