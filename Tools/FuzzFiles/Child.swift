import SegNetPlatform

/// A child process with a pipe from its standard output.
struct Child {
    let process: pid_t
    let output: Int32

    /// Starts this program again with other arguments; nil if the system cannot.
    init?(arguments: [String]) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        // The reading end stays here: a child that held it would keep other children's pipes open.
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)

        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)

        #if os(Linux)
            let program = "/proc/self/exe"
        #else
            let program = CommandLine.arguments.first ?? "FuzzFiles"
        #endif
        // A crash is counted, not explained: writing the backtrace would take seconds.
        let settings = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = settings.map { strdup("\($0)=\($1)") } + [nil]
        defer {
            for text in argv + environment { free(text) }
            close(ends[1])
        }
        var started = pid_t()
        guard posix_spawn(&started, program, &actions, nil, &argv, &environment) == 0 else {
            close(ends[0])
            return nil
        }
        process = started
        output = ends[0]
    }

    /// Waits for the end and returns its cause: nil for exit code 0.
    func finish() -> String? {
        close(output)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7F
        if signal != 0 { return "ended by signal \(signal) (\(String(cString: strsignal(signal))))" }
        let code = status >> 8 & 0xFF
        return code == 0 ? nil : "ended with exit code \(code)"
    }
}
