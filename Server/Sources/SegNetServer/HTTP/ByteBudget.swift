internal import Synchronization

/// Limits the bytes of request bodies that all requests together hold, so that many large uploads at once cannot fill
/// the memory.
final class BodyBudget: Sendable {
    private let limit: Int
    private let held = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// Bytes held now.
    var bytes: Int { held.withLock { $0 } }

    /// Bytes of one body; they are released with the last reference.
    final class Lease: Sendable {
        private let budget: BodyBudget
        private let taken = Mutex(0)

        fileprivate init(_ budget: BodyBudget) { self.budget = budget }

        deinit {
            let bytes = taken.withLock { $0 }
            budget.held.withLock { $0 -= bytes }
        }

        /// Takes this many more bytes; false if there is no room.
        func take(_ bytes: Int) -> Bool {
            let fits = budget.held.withLock { held in
                guard bytes <= budget.limit - held else { return false }
                held += bytes
                return true
            }
            if fits { taken.withLock { $0 += bytes } }
            return fits
        }
    }

    func lease() -> Lease { Lease(self) }
}
