import SegNetPlatform

/// Exchanges gradients with the learners of the other ranks in the background, and statistics of batch normalisation during a pass.
///
/// A thread sums the gradients of one bucket after the other while the backward pass goes on. If an exchange fails, the following ones are
/// left out, and `wait` throws, since the steps of a plan cannot.
package final class RankExchange: @unchecked Sendable {
    package let group: any RankGroup
    /// Whether batch normalisation computes its statistics over the pictures of all ranks.
    package let sharesStatistics: Bool
    /// The number of pictures in a batch, over all ranks.
    package let batchSize: Int
    /// The places of this rank's pictures in a batch.
    package let share: Range<Int>

    /// The bytes of gradients that each step exchanges.
    package var gradientBytes: Int { buckets.byteCount }
    /// How many seconds the computing thread has waited for other ranks.
    package private(set) var waitedSeconds = 0.0
    /// How many seconds the transfer of gradients took.
    package var travelSeconds: Double { state.withLock { $0.travelSeconds } }

    private let buckets: GradientBuckets
    private let parameters: Parameters
    /// By node: the buckets that are complete after it.
    private let complete: [Int: [Int]]
    private let state = Monitor(State())
    private let clock = ContinuousClock()

    private struct State {
        /// Buckets that wait for their exchange.
        var queue: [Int] = []
        var isExchanging = false
        var isStopped = false
        var failure: RankGroupError?
        var travelSeconds = 0.0
    }

    /// - Parameters:
    ///   - batchSize: The number of pictures in a batch, over all ranks.
    ///   - share: The places of this rank's pictures in a batch.
    ///   - backwardNodes: The nodes of the backward pass, in order.
    package init(
        _ group: any RankGroup,
        _ parameters: Parameters,
        backwardNodes: [Int],
        batchSize: Int,
        share: Range<Int>,
        sharesStatistics: Bool
    ) {
        self.group = group
        self.parameters = parameters
        self.batchSize = batchSize
        self.share = share
        self.sharesStatistics = sharesStatistics
        buckets = GradientBuckets(parameters.layout, backwardNodes: backwardNodes)
        complete = Dictionary(grouping: buckets.buckets.indices, by: { [buckets] in buckets.buckets[$0].node })
        // Without a thread, each bucket is exchanged as soon as it is complete.
        hasThread = startThread { [state, exchange = Exchanger(group, parameters, buckets)] in
            Self.run(state, exchange)
        }
    }

    private let hasThread: Bool

    /// Ends the thread. Call this before the exchange is released.
    package func stop() { state.withLock { $0.isStopped = true } }

    // MARK: Gradients

    /// Reports that the backward pass has finished a node, and with it the gradients of the buckets that end there.
    func finished(_ node: Int) {
        guard let numbers = complete[node] else { return }
        state.withLock { $0.queue += numbers }
        if !hasThread { while Self.exchangeNext(state, Exchanger(group, parameters, buckets)) {} }
    }

    /// Waits until all gradients are sums over all ranks.
    /// - Throws: The error of an exchange of this step.
    package func wait() throws(RankGroupError) {
        let start = clock.now
        let failure = state.wait { state -> RankGroupError?? in
            if let failure = state.failure { return .some(failure) }
            return state.queue.isEmpty && !state.isExchanging ? .some(nil) : nil
        }
        waitedSeconds += (clock.now - start).inSeconds
        if let failure { throw failure }
    }

    private static func run(_ state: Monitor<State>, _ exchanger: Exchanger) {
        while true {
            let isStopped = state.wait { state -> Bool? in
                if state.isStopped { return true }
                return state.queue.isEmpty || state.failure != nil ? nil : false
            }
            if isStopped { return }
            _ = exchangeNext(state, exchanger)
        }
    }

    private static func exchangeNext(_ state: Monitor<State>, _ exchanger: Exchanger) -> Bool {
        let next = state.withLock { state -> Int? in
            guard !state.queue.isEmpty, state.failure == nil else { return nil }
            state.isExchanging = true
            return state.queue.removeFirst()
        }
        guard let next else { return false }
        let start = ContinuousClock.now
        var failure: RankGroupError?
        do throws(RankGroupError) { try exchanger.exchange(next) } catch { failure = error }
        state.withLock { state in
            state.isExchanging = false
            state.travelSeconds += (ContinuousClock.now - start).inSeconds
            state.failure = state.failure ?? failure
        }
        return true
    }

    // MARK: Statistics and counts

    /// Replaces numbers by their sums over all ranks.
    package func sum(_ numbers: inout [Double]) throws(RankGroupError) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        let start = clock.now
        defer { waitedSeconds += (clock.now - start).inSeconds }
        do { try group.sum(&numbers) } catch {
            state.withLock { $0.failure = error }
            throw error
        }
    }

    /// Turns sums over this rank's pictures into sums over the batch of all ranks, if statistics are shared. A failure is kept for `wait`.
    func sumStatistics(_ first: inout [Double], _ second: inout [Double]) {
        guard sharesStatistics else { return }
        var both = first + second
        guard (try? sum(&both)) != nil else { return }
        first = Array(both[..<first.count])
        second = Array(both[first.count...])
    }

    /// Turns sums over this rank's pictures into sums over the batch of all ranks. A failure is kept for `wait`.
    func sumProbabilities(_ sums: inout ProbabilitySums) {
        var all = sums.predicted + sums.correct + sums.labelled
        guard (try? sum(&all)) != nil else { return }
        let count = sums.predicted.count
        sums.predicted = Array(all[..<count])
        sums.correct = Array(all[count..<2 * count])
        sums.labelled = Array(all[(2 * count)...])
    }

    /// The number of pictures over which a learner with `own` pictures computes statistics.
    func statisticsPictures(own: Int) -> Int { sharesStatistics ? batchSize : own }
}

/// Sums one bucket after the other.
private struct Exchanger: @unchecked Sendable {
    let group: any RankGroup
    let parameters: Parameters
    let buckets: GradientBuckets

    init(_ group: any RankGroup, _ parameters: Parameters, _ buckets: GradientBuckets) {
        (self.group, self.parameters, self.buckets) = (group, parameters, buckets)
    }

    func exchange(_ number: Int) throws(RankGroupError) {
        for range in buckets.buckets[number].ranges {
            let gradients = UnsafeMutableBufferPointer(rebasing: parameters.gradientBuffer[range])
            var span = gradients.mutableSpan
            try group.sum(&span)
        }
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
