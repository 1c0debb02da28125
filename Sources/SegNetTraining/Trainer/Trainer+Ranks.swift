import SegNetCPU
import SegNetData
import SegNetEvaluation
import SegNetFormats
import SegNetNetworks
import SegNetPlatform

// What a training does in addition if several ranks share it. Without ranks, each function returns what it was given.

extension Trainer {
    /// Whether this process writes the run's files.
    var isWriter: Bool { ranks?.isWriter ?? true }

    /// The recipe for the other ranks, with every open choice resolved. It always holds the input's mean and scale, so that only rank 0
    /// needs the model that they come from.
    package var configurationForRanks: TrainingConfiguration { configuration.with(network.input, dataset.channels) }

    /// How many numbers ranks can agree on at one time. All such messages have the same length, so that a rank that has failed can answer
    /// the next one, whichever it is.
    private static let most = 4

    /// Sums at most four numbers over all ranks.
    /// - Throws: `OtherRankError` if one has failed since the last time.
    func agree(_ numbers: [Double] = []) throws -> [Double] {
        guard let exchange = learner.exchange else { return numbers }
        var all = [0] + numbers + [Double](repeating: 0, count: Self.most - numbers.count)
        try exchange.sum(&all)
        guard all[0] == 0 else { throw OtherRankError() }
        return Array(all[1...].prefix(numbers.count))
    }

    /// Tells the others that this rank has failed, if they would wait for it.
    func leave(after error: any Error) {
        guard let exchange = learner.exchange, !isExchanging, !(error is OtherRankError), !(error is RankGroupError)
        else { return }
        var all = [1] + [Double](repeating: 0, count: Self.most)
        // If this fails too, the launcher ends the other ranks.
        try? exchange.sum(&all)
    }

    /// Whether to stop: all ranks do if one of them is asked to.
    func agreeOnStopping(_ isAsked: Bool) throws -> Bool { try agree([isAsked ? 1 : 0])[0] > 0 }

    // MARK: Beginning

    /// The state of a run that begins or goes on, as rank 0 knows it.
    private struct Beginning: Codable {
        var progress: TrainingProgress
        var classWeights: [Float]
    }

    /// Gives all ranks what rank 0 has read and loaded: weights, the optimiser's memory, the position, class weights.
    /// - Throws: `RanksDifferError` on ranks that see other pictures than rank 0; `OtherRankError` on the others.
    func beginTogether() throws {
        guard let group = ranks?.group else { return }
        progress.statistics = parameters.statistics
        progress.statisticsBatches = parameters.statisticsBatches
        progress.optimizerSteps = optimizer.steps
        progress.averageSteps = average?.steps ?? 0
        var bytes = try [UInt8](JSONEncoder().encode(Beginning(progress: progress, classWeights: classWeights)))
        try group.broadcast(&bytes)
        let beginning = try JSONDecoder().decode(Beginning.self, from: Data(bytes))
        guard beginning.progress.pictures == TrainingPictures(data, validation: validationItems).lists else {
            throw RanksDifferError(
                description:
                    "the pictures here differ from those of rank 0, or are in another order; the \(UserChoice.data) must hold the same "
                    + "files on all machines."
            )
        }
        _ = try agree()
        progress = beginning.progress
        classWeights = beginning.classWeights
        parameters.statistics = progress.statistics
        parameters.statisticsBatches = progress.statisticsBatches
        optimizer.steps = progress.optimizerSteps
        average?.steps = progress.averageSteps
        for memory in [parameters.values] + optimizer.memories + (average.map { [$0.memory] } ?? []) {
            var bytes = Array(UnsafeRawBufferPointer(start: memory.base, count: parameters.layout.count * 4))
            try group.broadcast(&bytes)
            UnsafeMutableRawBufferPointer(start: memory.base, count: bytes.count).copyBytes(from: bytes)
        }
    }

    // MARK: A step

    /// Combines what the ranks have found in a step: the loss, the predictions, statistics.
    /// - Parameters:
    ///   - statistics: Those of each batch. They become means over the ranks, unless they are shared already.
    ///   - isDiverged: Whether this rank's loss is not finite.
    /// - Returns: Whether any rank's is.
    func putTogether(
        _ loss: inout StepLoss,
        _ matrix: inout ConfusionMatrix,
        _ statistics: inout [[NormalizationStatistics]],
        isDiverged: Bool
    ) throws -> Bool {
        guard let exchange = learner.exchange else { return isDiverged }
        try exchange.wait()
        let part = Double(share.count) / Double(configuration.batchSize)
        var numbers = [isDiverged ? 1 : 0, loss.loss, Double(loss.labelledPixels)] + matrix.numbers
        let start = numbers.count
        if !exchange.sharesStatistics {
            numbers += statistics.joined().lazy.flatMap { $0.mean + $0.variance }.map { part * $0 }
        }
        try exchange.sum(&numbers)
        loss.loss = numbers[1]
        loss.labelledPixels = Int(numbers[2])
        matrix = ConfusionMatrix(classCount: matrix.classCount, numbers: numbers[3..<start])
        var rest = numbers[start...]
        guard !exchange.sharesStatistics else { return numbers[0] > 0 }
        for batch in statistics.indices {
            for layer in statistics[batch].indices {
                let count = statistics[batch][layer].mean.count
                statistics[batch][layer].mean = Array(rest.prefix(count))
                statistics[batch][layer].variance = Array(rest.dropFirst(count).prefix(count))
                rest = rest.dropFirst(2 * count)
            }
        }
        return numbers[0] > 0
    }

    // MARK: Validation

    /// The validation pictures that this rank scores. Rank 0 scores those that are shown, and each rank its share of the others.
    func ownItems(of count: Int, shown: Set<Int>) -> [Int] {
        guard let group = ranks?.group else { return Array(0..<count) }
        var others = 0
        return (0..<count).filter { index in
            if shown.contains(index) { return group.rank == 0 }
            others += 1
            return others % group.count == group.rank
        }
    }

    /// The sum of all ranks' matrices, after a check that they have scored the same weights.
    /// - Throws: `RanksDifferError`.
    func sum(_ matrix: ConfusionMatrix) throws -> ConfusionMatrix {
        guard let ranks, let exchange = learner.exchange else { return matrix }
        var check = CRC32C()
        check.add(UnsafeRawBufferPointer(start: parameters.values.base, count: parameters.layout.count * 4))
        let own = Double(check.checksum)
        let sum = try agree([own])[0]
        var numbers = matrix.numbers
        try exchange.sum(&numbers)
        guard sum == own * Double(ranks.group.count) else {
            throw RanksDifferError(
                description:
                    "the ranks no longer have the same weights, which must never happen; continue from the last checkpoint, "
                    + "and check the machines' memory and the MPI library."
            )
        }
        return ConfusionMatrix(classCount: matrix.classCount, numbers: numbers[...])
    }

    /// Exchanges of the ranks since the run began; nil without ranks.
    public var exchangeReport: ExchangeReport? {
        learner.exchange.map {
            ExchangeReport(
                gradientBytes: $0.gradientBytes,
                seconds: steppedSeconds,
                waitedSeconds: steppedWaits,
                travelSeconds: $0.travelSeconds
            )
        }
    }
}

extension ConfusionMatrix {
    /// All counts, whole numbers.
    fileprivate var numbers: [Double] { (counts + strays).map(Double.init) }

    fileprivate init(classCount: Int, numbers: ArraySlice<Double>) {
        let counts = numbers.map { Int($0) }
        self.init(
            classCount: classCount,
            counts: Array(counts.prefix(classCount * classCount)),
            strays: Array(counts.dropFirst(classCount * classCount))
        )
    }
}
