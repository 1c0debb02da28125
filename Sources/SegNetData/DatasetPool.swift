internal import SegNetPlatform

/// Data sets that a network learns from together, each with a share of the pictures.
///
///     let pool = DatasetPool(sources: [
///         DatasetPool.Source(camVid, samples: try camVid.samples(of: "train"), share: 0.5),
///         DatasetPool.Source(streets, samples: try streets.samples(of: "train"), share: 0.5, namedClasses: [0, 1, 3]),
///     ])
///     let queue = BatchQueue(pool, batchSize: 4, seed: 1)
///
/// All of them map their labels to the same classes.
public struct DatasetPool: Sendable {
    /// One of the data sets.
    public struct Source: Sendable {
        /// Reads the samples.
        public var dataset: Dataset
        /// The pictures to learn from.
        public var samples: [Sample]
        /// How much of a batch comes from here, relative to the other sources; at least 0.
        public var share: Double
        /// The classes that the labels can name, where these are some only: a pixel of one of them may belong to any other class that it
        /// does not know. Nil: all.
        public var namedClasses: [Int]?

        public init(_ dataset: Dataset, samples: [Sample], share: Double = 1, namedClasses: [Int]? = nil) {
            self.dataset = dataset
            self.samples = samples
            self.share = share
            self.namedClasses = namedClasses
        }
    }

    /// Other shares from a place of the training on.
    public struct Phase: Sendable, Hashable {
        /// Pictures before it, counted from the beginning of the training.
        public var start: Int
        /// One per source, relative to each other.
        public var shares: [Double]

        public init(start: Int, shares: [Double]) {
            self.start = start
            self.shares = shares
        }
    }

    /// A picture of the pool.
    public struct Item: Sendable, Hashable {
        /// The index of its source.
        public var source: Int
        public var sample: Sample

        public init(source: Int, sample: Sample) {
            self.source = source
            self.sample = sample
        }
    }

    public var sources: [Source]
    /// In the order of their starts; before the first the sources' own shares hold.
    public var phases: [Phase]

    public init(sources: [Source], phases: [Phase] = []) {
        self.sources = sources
        self.phases = phases
    }

    /// One data set alone.
    public init(_ dataset: Dataset, samples: [Sample]) { self.init(sources: [Source(dataset, samples: samples)]) }

    /// The pictures of all sources.
    public var count: Int { sources.reduce(0) { $0 + $1.samples.count } }

    /// The names of the data sets: "camvid+RoadScenes".
    public var name: String { sources.map(\.dataset.name).joined(separator: "+") }

    /// Reads a picture and its labels.
    /// - Throws: As `Dataset.example`.
    public func example(_ item: Item) throws -> Example {
        guard sources.indices.contains(item.source) else {
            throw DatasetError(
                "the pool has \(sources.count) data sets; a picture of number \(item.source) was asked for."
            )
        }
        return try sources[item.source].dataset.example(item.sample)
    }

    /// A picture by the shares around a place of the training.
    /// - Parameters:
    ///   - source: 0..<1, chooses the source.
    ///   - index: 0..<1, chooses one of its pictures.
    /// - Returns: Nil if there are no pictures.
    func item(at place: Int, source: Double, index: Double) -> Item? {
        var rest = source
        let shares = shares(at: place)
        // The last one that has a share, should rounding leave something.
        guard var chosen = shares.lastIndex(where: { $0 > 0 }) else { return nil }
        for (number, share) in shares.enumerated() where share > 0 {
            if rest < share {
                chosen = number
                break
            }
            rest -= share
        }
        let samples = sources[chosen].samples
        return Item(source: chosen, sample: samples[min(samples.count - 1, Int(index * Double(samples.count)))])
    }

    /// Each source's share of the pictures around a place of the training: their sum is 1, or 0 where no source has pictures.
    public func shares(at place: Int) -> [Double] {
        let plain = normalized(sources.map(\.share))
        guard let phase = phases.last(where: { $0.start <= place }) else { return plain }
        let shares = normalized(phase.shares)
        return shares.contains { $0 > 0 } ? shares : plain
    }

    /// Each source's share of all pictures of a training.
    /// - Parameter places: How many pictures the training takes.
    public func shares(ofTraining places: Int) -> [Double] {
        let starts = [0] + phases.map(\.start).filter { (1..<max(1, places)).contains($0) }.sorted()
        var sums = [Double](repeating: 0, count: sources.count)
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1] : max(1, places)
            for (source, share) in shares(at: start).enumerated() { sums[source] += share * Double(end - start) }
        }
        return normalized(sums)
    }

    /// Shares of the sources that have pictures, divided by their sum.
    private func normalized(_ shares: [Double]) -> [Double] {
        let usable = sources.enumerated().map { index, source in
            let share = shares.indices.contains(index) ? shares[index] : 0
            return share > 0 && share.isFinite && !source.samples.isEmpty ? share : 0
        }
        let sum = usable.reduce(0, +)
        return usable.map { sum > 0 ? $0 / sum : 0 }
    }

    /// Pictures that stand for what is learnt at a place of the training, mixed as its batches are: those of a source are shuffled, and
    /// every stretch has each source by its share.
    ///
    /// A source whose share is larger than its part of the pictures gives some of them several times, another one only some. One source
    /// alone, and sources that count by their numbers of pictures, give each once.
    /// - Parameters:
    ///   - number: About how many, evenly chosen from each source; nil: as many as the sources that have a share hold together.
    ///   - place: Chooses the shares.
    /// - Returns: Always the same ones in the same order, whatever the seed of the training.
    public func representatives(_ number: Int?, at place: Int) -> [Item] {
        let shares = shares(at: place)
        var chosen = DatasetPool(sources: sources)
        for (index, share) in shares.enumerated() {
            let samples = sources[index].samples
            let wanted = number.map { max(1, Int((Double($0) * share).rounded())) } ?? samples.count
            let every = max(1, samples.count / max(1, wanted))
            chosen.sources[index].share = share
            chosen.sources[index].samples =
                share > 0 ? stride(from: 0, to: samples.count, by: every).map { samples[$0] } : []
        }
        var order = PoolOrder(chosen, seed: 0)
        return (0..<chosen.count).compactMap { order.picture(at: $0) }.map {
            Item(source: $0.source, sample: chosen.sources[$0.source].samples[$0.index])
        }
    }
}

/// Which picture of which source comes when: a function of the seed and the place alone.
///
/// Each place goes to the source that is furthest behind its share since the phase began (the first of equal ones), so that every batch is
/// mixed alike. Each source goes through its own shuffled passes; they go on where they were when its share changes.
public struct PoolOrder: Sendable {
    private let orders: [SampleOrder]
    private let samples: [Int]
    /// Where shares change, from place 0 on.
    private let phases: [(start: Int, shares: [Double])]
    /// Where the cursor stands: the place that comes next.
    private var place = 0
    /// By source: pictures before that place, and those of them since the phase began.
    private var taken: [Int]
    private var dealt: [Int]
    private var permutations: [(epoch: Int, order: [Int])]

    public init(_ pool: DatasetPool, seed: UInt64, isShuffled: Bool = true) {
        samples = pool.sources.map(\.samples.count)
        orders = samples.enumerated().map { index, count in
            var other = RandomNumbers(seed: seed, stream: ~UInt64(index))
            return SampleOrder(count: count, seed: index == 0 ? seed : other.next(), isShuffled: isShuffled)
        }
        let starts = [0] + Set(pool.phases.map { max(0, $0.start) }).filter { $0 > 0 }.sorted()
        phases = starts.map { ($0, pool.shares(at: $0)) }
        taken = Array(repeating: 0, count: samples.count)
        dealt = taken
        permutations = Array(repeating: (-1, []), count: samples.count)
    }

    /// The source of a place and the number of the picture among its samples; nil if there are no pictures.
    ///
    /// Places in ascending order take a moment each; going back begins anew.
    public mutating func picture(at wanted: Int) -> (source: Int, index: Int)? {
        guard let first = phases.first, first.shares.contains(where: { $0 > 0 }), wanted >= 0 else { return nil }
        if wanted < place {
            place = 0
            for index in samples.indices { (taken[index], dealt[index]) = (0, 0) }
        }
        while place < wanted { advance(to: wanted) }
        let source = next()
        let order = orders[source]
        let (epoch, at) = taken[source].quotientAndRemainder(dividingBy: order.count)
        if permutations[source].epoch != epoch { permutations[source] = (epoch, order.permutation(epoch: epoch)) }
        return (source, permutations[source].order[at])
    }

    private var phase: Int { phases.lastIndex { $0.start <= place } ?? 0 }

    /// The source of the place where the cursor stands.
    private func next() -> Int {
        let (start, shares) = phases[phase]
        let done = Double(place - start + 1)
        var best = 0
        var most = -Double.infinity
        for index in shares.indices where shares[index] > 0 {
            let behind = shares[index] * done - Double(dealt[index])
            if behind > most { (best, most) = (index, behind) }
        }
        return best
    }

    /// Moves the cursor by one place, or, where one source alone has a share, as far as the phase goes.
    private mutating func advance(to wanted: Int) {
        let current = phase
        let end = current + 1 < phases.count ? phases[current + 1].start : Int.max
        let source = next()
        let isAlone = phases[current].shares.count { $0 > 0 } == 1
        let count = isAlone ? min(wanted, end) - place : 1
        taken[source] += count
        dealt[source] += count
        place += count
        if place == end { for index in dealt.indices { dealt[index] = 0 } }
    }
}
