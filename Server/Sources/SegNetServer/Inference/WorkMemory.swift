import HTTPTypes
import SegNetToolkit
import Synchronization

/// The memory that requests need. Allocations in the middle of a decoder cannot fail without ending the process, with everything that
/// was accepted: what has no room is refused before.
final class WorkMemory: Sendable {
    /// Left to everything else: connections, the log, threads.
    static let spare = 48 << 20

    private let reserved = Mutex(0)
    private let available: @Sendable () -> Int?
    private let metrics: ServiceMetrics

    /// - Parameter available: Bytes that the process could take now; nil: the system does not say.
    init(metrics: ServiceMetrics, available: @escaping @Sendable () -> Int?) {
        self.metrics = metrics
        self.available = available
    }

    /// Memory of one picture; it is given back with the last reference.
    final class Reservation: Sendable {
        private let memory: WorkMemory
        private let bytes: Int

        fileprivate init(_ memory: WorkMemory, _ bytes: Int) {
            self.memory = memory
            self.bytes = bytes
        }

        deinit { memory.reserved.withLock { $0 -= bytes } }
    }

    /// - Throws: `Problem` 503 if so many bytes have no room beside what is worked on already.
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
            // What is reserved may be in use already, and then it counts twice: better one request too few than none at all.
            if let room, bytes + reserved + Self.spare > room { return false }
            reserved += bytes
            return true
        }
        return fits ? Reservation(self, bytes) : nil
    }
}
