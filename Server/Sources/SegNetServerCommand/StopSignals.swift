import UnixSignals

/// The effect of signals to stop: after the first, accepted requests are finished; a second ends the program at once.
enum StopSignals {
    /// Waits for signals for ever.
    /// - Parameters:
    ///   - signals: SIGTERM and SIGINT, as they arrive.
    ///   - finish: Called at the first.
    ///   - end: Called at the second; it is not expected to return.
    static func watch<Signals: AsyncSequence>(
        _ signals: Signals,
        finish: () async -> Void,
        end: (UnixSignal) async -> Void
    ) async where Signals.Element == UnixSignal {
        var isStopping = false
        do {
            for try await signal in signals {
                if isStopping {
                    await end(signal)
                } else {
                    isStopping = true
                    await finish()
                }
            }
        } catch {
            // Signals do not fail.
        }
    }
}
