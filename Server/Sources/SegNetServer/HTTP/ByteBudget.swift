internal import Synchronization

/// Limits the bytes that all requests, all answers or all videos together hold, so that neither many large uploads nor many answers that
/// nobody reads can fill the memory, nor results the disk.
final class ByteBudget: Sendable {
    let limit: Int
    private let held = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// Bytes held now.
    var bytes: Int { held.withLock { $0 } }

    /// Bytes of one body, answer or video; they are released with the last reference.
    final class Lease: Sendable {
        private let budget: ByteBudget
        private let taken = Mutex(0)

        fileprivate init(_ budget: ByteBudget) { self.budget = budget }

        deinit {
            let bytes = taken.withLock { $0 }
            budget.held.withLock { $0 -= bytes }
        }

        /// Takes this many more bytes; false if there is no room. Where nothing is held there is always room: otherwise what is larger
        /// than the whole budget could never be sent.
        func take(_ bytes: Int) -> Bool {
            let fits = budget.held.withLock { held in
                guard held == 0 || bytes <= budget.limit - held else { return false }
                held += bytes
                return true
            }
            if fits { taken.withLock { $0 += bytes } }
            return fits
        }

        /// Makes this the number of bytes held. Returns false, and changes nothing, if there is no room for more.
        /// Callers take turns.
        func hold(_ bytes: Int) -> Bool { take(bytes - taken.withLock { $0 }) }
    }

    func lease() -> Lease { Lease(self) }
}
