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
/// never more threads than asked for, and they work only while there is room in the queue; beside a network, whose step takes a hundred
/// times as long as a picture, they are asleep nearly always.
public final class BatchQueue: @unchecked Sendable {
    /// Examples in a batch.
    public let batchSize: Int
    public let order: SampleOrder

    private let pool: DatasetPool
    private let poolOrder: PoolOrder
    private let augmentation: Augmentation
    private let depth: Int
    private let startPlace: Int
    private let limit: Int
    private let cache: ExampleCache

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Guarded by the mutex. Batches are counted from `startPlace`, from 0.
    private var made: [Int: Result<Batch, any Error>] = [:]
    private var takenCount = 0
    private var begunCount = 0
    /// No batch from this one on is made: the limit, or what follows one that failed.
    private var end: Int
    private var isStopped = false
    private var runningThreads = 0

    /// Batches of one data set.
    /// - Parameters:
    ///   - dataset: Reads the samples.
    ///   - samples: At least one; of none, `next` gives nil.
    ///   - augmentation: Applied to each example with random numbers of its place.
    ///   - batchSize: Examples in a batch.
    ///   - seed: Chooses order and augmentation.
    ///   - startPlace: Examples that came before, counted from the beginning of the training.
    ///   - isShuffled: Whether each epoch has an order of its own.
    ///   - depth: Batches that are made ahead at most.
    ///   - threads: How many make them, at least 1.
    ///   - limit: After so many batches `next` gives nil; without it they never end.
    ///   - cacheBytes: How much memory decoded pictures may take, so that later epochs do not decode again. The first ones that fit are kept.
    public convenience init(
        _ dataset: Dataset,
        samples: [Sample],
        augmentation: Augmentation = Augmentation(),
        batchSize: Int,
        seed: UInt64,
        startPlace: Int = 0,
        isShuffled: Bool = true,
        depth: Int = 3,
        threads: Int = 1,
        limit: Int? = nil,
        cacheBytes: Int = 512 << 20
    ) {
        self.init(
            DatasetPool(dataset, samples: samples),
            augmentation: augmentation,
            batchSize: batchSize,
            seed: seed,
            startPlace: startPlace,
            isShuffled: isShuffled,
            depth: depth,
            threads: threads,
            limit: limit,
            cacheBytes: cacheBytes
        )
    }

    /// Batches of several data sets by their shares.
    /// - Parameters:
    ///   - pool: Of one without pictures, `next` gives nil.
    ///   - augmentation: Applied to each example with random numbers of its place.
    ///   - batchSize: Examples in a batch.
    ///   - seed: Chooses order and augmentation.
    ///   - startPlace: Examples that came before, counted from the beginning of the training.
    ///   - isShuffled: Whether each epoch has an order of its own.
    ///   - depth: Batches that are made ahead at most.
    ///   - threads: How many make them, at least 1.
    ///   - limit: After so many batches `next` gives nil; without it they never end.
    ///   - cacheBytes: How much memory decoded pictures may take, so that later epochs do not decode again. The first ones that fit are kept.
    public init(
        _ pool: DatasetPool,
        augmentation: Augmentation = Augmentation(),
        batchSize: Int,
        seed: UInt64,
        startPlace: Int = 0,
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
        self.limit = pool.shares(at: 0).allSatisfy { $0 == 0 } ? 0 : max(0, limit ?? .max)
        end = self.limit
        order = SampleOrder(count: pool.count, seed: seed, isShuffled: isShuffled)
        cache = ExampleCache(limit: cacheBytes)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        for _ in 0..<max(1, min(threads, self.depth)) { start() }
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// The next batch; waits until it is there. Nil after the last one, after one that failed, and after `stop`.
    /// - Throws: What reading a sample throws.
    public func next() throws -> Batch? {
        pthread_mutex_lock(mutex)
        while made[takenCount] == nil && takenCount < end && runningThreads > 0 { pthread_cond_wait(changed, mutex) }
        // Another thread may have made what would have come after one that failed.
        let result = takenCount < end ? made.removeValue(forKey: takenCount) : nil
        if result != nil { takenCount += 1 }
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        return try result?.get()
    }

    /// Ends the threads; call before the queue is dropped, else they go on waiting.
    public func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        end = 0
        made.removeAll()
        pthread_cond_broadcast(changed)
        while runningThreads > 0 { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func start() {
        let work = Unmanaged.passRetained(self)
        pthread_mutex_lock(mutex)
        runningThreads += 1
        pthread_mutex_unlock(mutex)
        #if os(Linux)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        guard pthread_create(&thread, nil, { runQueue($0) }, work.toOpaque()) == 0 else {
            work.release()
            pthread_mutex_lock(mutex)
            runningThreads -= 1
            pthread_mutex_unlock(mutex)
            return
        }
        #if os(Linux)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }

    /// Takes the number of the next batch to be made while there is room, makes it, lays it down under its number.
    private func run() {
        var cursor = poolOrder
        pthread_mutex_lock(mutex)
        while true {
            while begunCount >= takenCount + depth && begunCount < end && !isStopped {
                pthread_cond_wait(changed, mutex)
            }
            guard begunCount < end, !isStopped else { break }
            let number = begunCount
            begunCount += 1
            pthread_mutex_unlock(mutex)
            let result = Result { try batch(number, &cursor) }
            pthread_mutex_lock(mutex)
            if !isStopped { made[number] = result }
            if case .failure = result { end = min(end, number + 1) }
            pthread_cond_broadcast(changed)
        }
        runningThreads -= 1
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    private func batch(_ number: Int, _ cursor: inout PoolOrder) throws -> Batch {
        let first = startPlace + number * batchSize
        var batch = Batch(examples: [], epoch: first / order.count)
        for place in first..<first + batchSize {
            guard let (source, index) = cursor.picture(at: place) else { break }
            let item = DatasetPool.Item(source: source, sample: pool.sources[source].samples[index])
            let example = try cache.example(item) { try pool.example(item) }
            var random = order.augmentationNumbers(place: place)
            batch.examples.append(augmentation.isIdentity ? example : augmentation.apply(example, random: &random))
            batch.sources.append(source)
        }
        return batch
    }

    fileprivate static func runWork(_ argument: UnsafeMutableRawPointer) {
        Unmanaged<BatchQueue>.fromOpaque(argument).takeRetainedValue().run()
    }
}

#if os(Linux)
    private func runQueue(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let argument { BatchQueue.runWork(argument) }
        return nil
    }
#else
    private func runQueue(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        BatchQueue.runWork(argument)
        return nil
    }
#endif

/// Decoded examples of a pool that fit a limit.
private final class ExampleCache: Sendable {
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
