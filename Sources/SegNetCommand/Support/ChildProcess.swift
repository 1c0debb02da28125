import SegNetToolkit

/// This program, run again in a process of its own, so that its memory can be measured apart from ours.
enum ChildProcess {
    /// Runs the program with these arguments and waits for it. Its standard error goes nowhere.
    /// - Returns: Its standard output and its exit code; nil if it could not be started or was killed.
    static func run(_ arguments: [String], scratch: URL) -> (output: Data, status: Int)? {
        let capture = scratch.appending(path: "output.\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: capture) }
        guard let child = start(arguments, output: capture.path(percentEncoded: false), isSilent: true) else {
            return nil
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { if errno != EINTR { return nil } }
        guard let code = Subprocess.exitCode(status),
            let output = FileManager.default.contents(atPath: capture.path(percentEncoded: false))
        else { return nil }
        return (output, code)
    }

    /// How a training is asked to stop by the program that started it. Service managers and batch systems send SIGTERM to all processes of
    /// a job: another SIGTERM from here would be the second, which ends the training before it has saved.
    static let stopSignal = SIGUSR1

    /// Runs the program with these arguments and waits for it. Its standard error is ours, its standard output goes nowhere.
    ///
    /// It has a process group of its own, so that Ctrl-C on the terminal reaches it through this program alone, once.
    /// - Parameter shouldStop: Asked all the time; when it says so, the program is asked to stop (`stopSignal`) and waited for.
    /// - Returns: Its exit code; nil if it could not be started or was killed.
    static func runInSight(_ arguments: [String], shouldStop: () -> Bool) -> Int? {
        guard let child = start(arguments, output: "/dev/null", isSilent: false) else { return nil }
        var isAsked = false
        var status: Int32 = 0
        while true {
            let ended = waitpid(child, &status, WNOHANG)
            if ended == child { return Subprocess.exitCode(status) }
            if ended < 0, errno != EINTR { return nil }
            if !isAsked, shouldStop() {
                isAsked = true
                kill(child, stopSignal)
            }
            usleep(20_000)
        }
    }

    /// - Parameters:
    ///   - output: The file of its standard output.
    ///   - isSilent: Whether its standard error goes nowhere. Otherwise it is ours, and the program has a process group of its own.
    private static func start(_ arguments: [String], output: String, isSilent: Bool) -> pid_t? {
        var child = pid_t()
        let words = arguments.map { Array($0.utf8) }
        let failure = Subprocess.spawn(executable, words, isApart: !isSilent, &child) { actions in
            posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
            if isSilent { posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) }
        }
        return failure == 0 ? child : nil
    }

    /// The path of the running program.
    static var executable: String {
        #if os(Linux)
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { return path }
        #endif
        return CommandLine.arguments[0]
    }
}
