import SegNetToolkit

/// This program, run again in a process of its own, so that its memory can be measured apart from ours.
enum ChildProcess {
    /// Runs the program with these arguments and waits for it. Its standard error goes nowhere.
    /// - Returns: Its standard output and its exit code; nil if it could not be started or was killed.
    static func run(_ arguments: [String], scratch: URL) -> (output: Data, status: Int)? {
        let capture = scratch.appending(path: "output.\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: capture) }
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, capture.path(percentEncoded: false), O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)

        var words: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        words.append(nil)
        // Foundation's copy of the environment: Darwin does not show `environ` to Swift.
        var environment: [UnsafeMutablePointer<CChar>?] =
            ProcessInfo.processInfo.environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + environment { free(text) } }
        var child = pid_t()
        guard posix_spawnp(&child, executable, &actions, nil, words, &environment) == 0 else { return nil }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { if errno != EINTR { return nil } }
        // The low seven bits are the signal that killed it, the next eight its exit code.
        guard status & 0x7F == 0, let output = FileManager.default.contents(atPath: capture.path(percentEncoded: false))
        else { return nil }
        return (output, Int(status >> 8) & 0xFF)
    }

    /// The path of the running program.
    static var executable: String {
        #if os(Linux)
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { return path }
        #endif
        return CommandLine.arguments[0]
    }
}
