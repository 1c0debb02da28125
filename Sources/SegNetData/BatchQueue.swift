internal import SegNetPlatform
internal import Synchronization

/// Which examples come when: a shuffled pass over the samples after the other, a function of the seed and the place alone.
///
/// When the list runs out it is shuffled anew, in the middle of a batch if need be, as the original does
/// (docs/segnet.md, Training).
public struct SampleOrder: Sendable, Hashable {
    /// Samples in an epoch.
    public let count: Int
    public let seed: UInt64
    /// Whether each epoch has an order of its own.
    public let isShuffled: Bool

    public init(count: Int, seed: UInt64, isShuffled: Bool = true) {
        self.count = max(1, count)
        self.seed = seed
        self.isShuffled = isShuffled
    }

    /// The order of an epoch.
    public func permutation(epoch: Int) -> [Int] {
        guard isShuffled else { return Array(0..<count) }
        var random = RandomNumbers(seed: seed, stream: 2 &* UInt64(epoch))
        return Array(0..<count).shuffled(using: &random)
    }

    /// The random numbers of the example at a place, counted from the beginning of the training.
    func augmentationNumbers(place: Int) -> RandomNumbers {
        RandomNumbers(seed: seed, stream: 2 &* UInt64(place) &+ 1)
    }
}

/// Batches made ahead of the network by threads of its own: reading, decoding, augmenting. At most `depth` are made ahead.
///
/// Order and content are a function of (seed, place) alone, whatever the number of threads, so a run can go on from any place. There are
/// never more threads than asked for, and they work only while there is room in the queue; compared with a network, whose step takes a
/// hundred times as long as a picture, they are asleep nearly always.
public final class BatchQueue: Sendable {
    /// Examples in a batch.
    public let batchSize: Int
    public let order: SampleOrder

    let pool: DatasetPool
    private let poolOrder: PoolOrder
    let augmentation: Augmentation
    private let depth: Int
    private let startPlace: Int
    private let share: Range<Int>
    let cache: ExampleCache

    private let state: Monitor<State>

    /// Batches are counted from `startPlace`, from 0.
    private struct State {
        var made: [Int: Result<Batch, any Error>] = [:]
        var takenCount = 0
        var begunCount = 0
        /// No batch from this one on is made: the limit, or what follows one that failed; 0 once the queue is stopped.
        var end: Int
        var runningThreads = 0
    }

    /// Batches of a pool's data sets by their shares.
    /// - Parameters:
    ///   - pool: If it has no pictures, `next` gives nil.
    ///   - augmentation: Applied to each example with random numbers of its place.
    ///   - batchSize: Examples in a batch.
    ///   - seed: Chooses order and augmentation.
    ///   - startPlace: Examples that came before, counted from the beginning of the training.
    ///   - share: If several processes share a batch, the places whose examples are made here; nil for all.
    ///   - isShuffled: Whether each epoch has an order of its own.
    ///   - depth: Batches that are made ahead at most.
    ///   - threads: How many make them, at least 1.
    ///   - limit: After so many batches `next` gives nil; without it they never end.
    ///   - cacheBytes: How much memory decoded pictures may take, so that later epochs do not decode again. The first ones that fit are
    ///     kept.
    public init(
        _ pool: DatasetPool,
        augmentation: Augmentation = Augmentation(),
        batchSize: Int,
        seed: UInt64,
        startPlace: Int = 0,
        share: Range<Int>? = nil,
        isShuffled: Bool = true,
        depth: Int = 3,
        threads: Int = 1,
        limit: Int? = nil,
        cacheBytes: Int = 512 << 20
    ) {
        self.pool = pool
        poolOrder = PoolOrder(pool, seed: seed, isShuffled: isShuffled)
        self.augmentation = augmentation
        self.batchSize = max(1, batchSize)
        self.depth = max(1, depth)
        self.startPlace = max(0, startPlace)
        self.share = (share ?? 0..<self.batchSize).clamped(to: 0..<self.batchSize)
        state = Monitor(State(end: pool.shares(at: 0).allSatisfy { $0 == 0 } ? 0 : max(0, limit ?? .max)))
        order = SampleOrder(count: pool.count, seed: seed, isShuffled: isShuffled)
        cache = ExampleCache(limit: cacheBytes)
        for _ in 0..<max(1, min(threads, self.depth)) {
            state.withLock { $0.runningThreads += 1 }
            if !startThread({ self.run() }) { state.withLock { $0.runningThreads -= 1 } }
        }
    }

    /// The next batch; waits until it is there. Nil after the last one, after one that failed, and after `stop`.
    /// - Throws: Errors of reading a sample; `DatasetError` for an augmentation that `Augmentation.check` refuses.
    public func next() throws -> Batch? {
        let result = state.wait { state -> Result<Batch, any Error>?? in
            // Another thread may have made what would have come after one that failed.
            guard state.takenCount < state.end else { return .some(nil) }
            guard let batch = state.made.removeValue(forKey: state.takenCount) else {
                return state.runningThreads > 0 ? nil : .some(nil)
            }
            state.takenCount += 1
            return batch
        }
        return try result?.get()
    }

    /// Ends the threads; call before the queue is dropped, else they go on waiting.
    public func stop() {
        state.withLock { state in
            state.end = 0
            state.made.removeAll()
        }
        state.wait { $0.runningThreads == 0 ? () : nil }
    }

    /// Takes the number of the next batch to be made while there is room, makes it, lays it down under its number.
    private func run() {
        var cursor = poolOrder
        while let number = nextNumber() {
            let result = Result { try batch(number, &cursor) }
            state.withLock { state in
                if number < state.end { state.made[number] = result }
                if case .failure = result { state.end = min(state.end, number + 1) }
            }
        }
        state.withLock { $0.runningThreads -= 1 }
    }

    /// Nil if no more batches are to be made.
    private func nextNumber() -> Int? {
        state.wait { state -> Int?? in
            if state.begunCount >= state.end { return .some(nil) }
            guard state.begunCount < state.takenCount + depth else { return nil }
            defer { state.begunCount += 1 }
            return state.begunCount
        }
    }

    private func batch(_ number: Int, _ cursor: inout PoolOrder) throws -> Batch {
        // The initializer cannot throw.
        try augmentation.check()
        let pastedIDs = Set(try pool.sources.first?.dataset.ids(of: augmentation.pasteClasses).map(UInt16.init) ?? [])
        let first = startPlace + number * batchSize
        var batch = Batch(examples: [], epoch: first / order.count)
        for place in first + share.lowerBound..<first + share.upperBound {
            guard let (source, index) = cursor.picture(at: place) else { break }
            let item = DatasetPool.Item(source: source, sample: pool.sources[source].samples[index])
            let example = try cache.example(item) { try pool.example(item) }
            var random = order.augmentationNumbers(place: place)
            var changed = augmentation.isIdentity ? example : augmentation.apply(example, random: &random)
            if let donor = try donor(at: place, &random) { changed.paste(pastedIDs, from: donor) }
            batch.examples.append(changed)
            batch.sources.append(source)
        }
        return batch
    }
}

/// Decoded examples of a pool that fit a limit.
final class ExampleCache: Sendable {
    private struct State {
        var used = 0
        var examples: [DatasetPool.Item: Example] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    /// Two threads that want the same sample may both make it; decoding under the lock would make them wait for each other.
    func example(_ item: DatasetPool.Item, _ make: () throws -> Example) rethrows -> Example {
        if let example = state.withLock({ $0.examples[item] }) { return example }
        let example = try make()
        let bytes = example.byteCount
        state.withLock { state in
            guard state.examples[item] == nil, state.used + bytes <= limit else { return }
            state.used += bytes
            state.examples[item] = example
        }
        return example
    }
}
