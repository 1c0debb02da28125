internal import SegNetTensors
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Which examples come when: a shuffled pass over the samples after the other, a function of the seed and the place alone.
///
/// When the list runs out it is shuffled anew, in the middle of a batch if need be, as the original does (segnet-facts 3.3).
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

/// Batches made ahead of the network by a thread of its own: reading, decoding, augmenting. At most `depth` wait.
///
/// Order and content are a function of (seed, place) alone, so a run can go on from any place. The thread works only while there is room
/// in the queue; beside a network, whose step takes a hundred times as long as a picture, it is asleep nearly always.
public final class BatchQueue: @unchecked Sendable {
    /// Examples in a batch.
    public let batchSize: Int
    public let order: SampleOrder

    private let dataset: Dataset
    private let samples: [Sample]
    private let augmentation: Augmentation
    private let depth: Int
    private let cache: ExampleCache

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    // Guarded by the mutex.
    private var waiting: [Result<Batch, any Error>] = []
    private var isStopped = false
    private var isRunning = false

    /// - Parameters:
    ///   - startPlace: Examples that came before, counted from the beginning of the training.
    ///   - depth: Batches that wait at most.
    ///   - cacheBytes: How much memory decoded pictures may take, so that later epochs do not decode again.
    public init(
        _ dataset: Dataset,
        samples: [Sample],
        augmentation: Augmentation = Augmentation(),
        batchSize: Int,
        seed: UInt64,
        startPlace: Int = 0,
        isShuffled: Bool = true,
        depth: Int = 3,
        cacheBytes: Int = 512 << 20
    ) {
        self.dataset = dataset
        self.samples = samples
        self.augmentation = augmentation
        self.batchSize = max(1, batchSize)
        self.depth = max(1, depth)
        order = SampleOrder(count: samples.count, seed: seed, isShuffled: isShuffled)
        cache = ExampleCache(limit: cacheBytes)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        start(place: startPlace)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// The next batch; waits until it is there.
    /// - Throws: What reading a sample throws; nil after `stop`.
    public func next() throws -> Batch? {
        pthread_mutex_lock(mutex)
        while waiting.isEmpty && isRunning { pthread_cond_wait(changed, mutex) }
        let result = waiting.isEmpty ? nil : waiting.removeFirst()
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        return try result?.get()
    }

    /// Ends the thread; call before the queue is dropped, else it goes on waiting.
    public func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        waiting.removeAll()
        pthread_cond_broadcast(changed)
        while isRunning { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func start(place: Int) {
        let work = Unmanaged.passRetained(Work(queue: self, place: place))
        isRunning = true
        #if os(Linux)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        guard pthread_create(&thread, nil, { runQueue($0) }, work.toOpaque()) == 0 else {
            work.release()
            isRunning = false
            return
        }
        #if os(Linux)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }

    fileprivate func run(place start: Int) {
        var place = start
        var epoch = -1
        var permutation: [Int] = []
        while true {
            let result = Result { () throws -> Batch in
                var examples: [Example] = []
                let first = place / order.count
                for _ in 0..<batchSize {
                    if place / order.count != epoch {
                        epoch = place / order.count
                        permutation = order.permutation(epoch: epoch)
                    }
                    let sample = samples[permutation[place % order.count]]
                    let example = try cache.example(sample) { try dataset.example(sample) }
                    var random = order.augmentationNumbers(place: place)
                    examples.append(augmentation.isIdentity ? example : augmentation.apply(example, random: &random))
                    place += 1
                }
                return Batch(examples: examples, epoch: first)
            }
            pthread_mutex_lock(mutex)
            while waiting.count >= depth && !isStopped { pthread_cond_wait(changed, mutex) }
            var isOver = isStopped
            if !isOver { waiting.append(result) }
            if case .failure = result { isOver = true }
            if isOver { isRunning = false }
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
            if isOver { return }
        }
    }

    private final class Work {
        let queue: BatchQueue
        let place: Int
        init(queue: BatchQueue, place: Int) {
            self.queue = queue
            self.place = place
        }
    }

    fileprivate static func runWork(_ argument: UnsafeMutableRawPointer) {
        let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        work.queue.run(place: work.place)
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

/// Decoded examples of a data set that fit a limit; used by one thread.
private final class ExampleCache {
    private let limit: Int
    private var used = 0
    private var examples: [Sample: Example] = [:]

    init(limit: Int) { self.limit = limit }

    func example(_ sample: Sample, _ make: () throws -> Example) rethrows -> Example {
        if let example = examples[sample] { return example }
        let example = try make()
        let bytes = example.pixels.count + 2 * example.labels.count
        if used + bytes <= limit {
            used += bytes
            examples[sample] = example
        }
        return example
    }
}
