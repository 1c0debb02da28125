import CSegNetKernels

extension InstructionSet {
    /// The most floating-point operations per second that these kernels' instructions reach on this machine right now:
    /// fused multiply-adds on registers alone, two operations each, on all threads at once.
    /// - Parameters:
    ///   - threads: At least 1.
    ///   - duration: How long to measure; the processor's clock settles within some milliseconds.
    public func measuredPeak(threads: Int, duration: Duration = .milliseconds(100)) -> Double {
        let threads = max(1, threads)
        let pool = ThreadPool(threadCount: threads)
        let kernels = kernels
        let clock = ContinuousClock()
        // Enough rounds that reading the clock does not matter: some hundred microseconds.
        let rounds = 20_000
        let counts = UnsafeMutableBufferPointer<Double>.allocate(capacity: threads * 16)
        defer { counts.deallocate() }
        counts.initialize(repeating: 0)
        let start = clock.now
        let end = start + duration
        // Each thread has its own slice and works until the time is up.
        pool.forEach(threads) { _, index in
            var sink: Float = 0
            while clock.now < end { counts[16 * index] += kernels.peak(rounds, &sink) }
        }
        let elapsed = (clock.now - start).components
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
        return counts.reduce(0, +) / seconds
    }
}
