/// What this process does when a signal comes.
package enum ProcessSignal {
    /// Whether it was started with the signal ignored, as `nohup` ignores hang-ups, or has ignored it since.
    package static func isIgnored(_ number: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Darwin)
            let handler = action.__sigaction_u.__sa_handler
        #elseif canImport(Musl)
            let handler = action.__sa_handler.sa_handler
        #else
            let handler = action.__sigaction_handler.sa_handler
        #endif
        // Functions cannot be compared; their addresses can.
        let ignored: (@convention(c) (CInt) -> Void)? = SIG_IGN
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(ignored, to: Int.self)
    }
}
