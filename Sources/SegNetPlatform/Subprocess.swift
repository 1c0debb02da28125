/// Another program that runs at the same time as this one, connected by pipes. There is no shell: its arguments are a list.
///
/// One thread may write while another reads. The program is killed when nobody holds this any more.
package final class Subprocess: @unchecked Sendable {
    /// Where its standard input comes from.
    package enum Input {
        /// Nothing can be read.
        case none
        /// This process's own.
        case inherited
        /// The bytes that are given to `write`.
        case pipe
    }

    private struct State {
        /// Nil once it has been waited for, since its number may then belong to another.
        var process: pid_t?
        var status: Int32 = 0
        /// The last bytes of its standard error.
        var errors: [UInt8] = []
        var errorsEnded = false
    }

    private let state: Monitor<State>
    private var input: Int32
    /// Our ends of the pipes into which it writes, by its file numbers.
    private var outputs: [Int32: Int32] = [:]

    /// How many of the last bytes of its standard error are kept.
    private static let mostErrors = 8192
    /// Held while pipes are made, since other children could inherit them until they are marked.
    private static let making = Monitor(())

    /// Starts a program.
    /// - Parameters:
    ///   - path: The program's file.
    ///   - arguments: The bytes of each argument, since file names need not be UTF-8.
    ///   - outputs: The file numbers whose contents `read` gives: 1 is its standard output.
    /// - Throws: `SubprocessError` with the system's words.
    package init(_ path: String, _ arguments: [[UInt8]], input source: Input, outputs numbers: [Int32])
        throws(SubprocessError)
    {
        var ours: [Int32: Int32] = [:]
        var theirs: [Int32: Int32] = [:]
        var process = pid_t()
        var failure: Int32 = 0
        Self.making.withLock { _ in
            if source == .pipe {
                // A socket, since writing into a pipe without a reader would end this program.
                if let pair = Self.pair() { (ours[0], theirs[0]) = (pair.first, pair.second) } else { failure = errno }
            }
            for number in numbers + [2] where failure == 0 {
                if let pair = Self.pipe() {
                    if number == 1 { Self.enlarge(pair.first) }
                    (ours[number], theirs[number]) = (pair.first, pair.second)
                } else {
                    failure = errno
                }
            }
            if failure == 0 {
                failure = Self.spawn(path, arguments, isApart: true, &process) { actions in
                    if source == .none { posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
                    if theirs[1] == nil { posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) }
                    for (number, end) in theirs { posix_spawn_file_actions_adddup2(&actions, end, number) }
                }
            }
        }
        for descriptor in theirs.values { close(descriptor) }
        guard failure == 0 else {
            for descriptor in ours.values { close(descriptor) }
            throw SubprocessError(program: path, number: failure)
        }
        input = ours.removeValue(forKey: 0) ?? -1
        let errors = ours.removeValue(forKey: 2) ?? -1
        outputs = ours
        let state = Monitor(State(process: process))
        self.state = state
        let canRead = startThread {
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = chunk.withUnsafeMutableBytes { Self.readSome(errors, $0) }
                guard count > 0 else { break }
                state.withLock {
                    $0.errors += chunk[..<count]
                    $0.errors.removeFirst(max(0, $0.errors.count - Self.mostErrors))
                }
            }
            close(errors)
            state.withLock { $0.errorsEnded = true }
        }
        if !canRead {
            close(errors)
            state.withLock { $0.errorsEnded = true }
        }
    }

    deinit {
        closeInput()
        for descriptor in outputs.values { close(descriptor) }
        terminate()
        _ = wait()
    }

    // MARK: Pipes

    /// Writes to its standard input. Blocks while it does not read.
    /// - Returns: Whether it took all bytes; false once it reads no more.
    package func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Darwin)
                let count = send(input, rest.baseAddress, rest.count, 0)
            #else
                let count = send(input, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            #endif
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        }
        return true
    }

    package func write(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { write($0) } }

    /// Ends its standard input.
    package func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// Reads until the bytes are full or the program has closed that file.
    /// - Returns: How many bytes were read.
    package func read(_ number: Int32, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        guard let descriptor = outputs[number] else { return 0 }
        var done = 0
        while done < bytes.count {
            let count = Self.readSome(descriptor, UnsafeMutableRawBufferPointer(rebasing: bytes[done...]))
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// Waits for something to read.
    /// - Returns: The bytes that are there, from one to `most`; nothing once the program has closed that file.
    package func readSome(_ number: Int32, most: Int) -> [UInt8] {
        guard let descriptor = outputs[number] else { return [] }
        return [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            count = max(0, Self.readSome(descriptor, UnsafeMutableRawBufferPointer(buffer)))
        }
    }

    /// Reads until the program has closed that file.
    /// - Parameter limit: Bytes beyond this are discarded.
    package func readAll(_ number: Int32, limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let some = readSome(number, most: 1 << 16)
            if some.isEmpty { return bytes }
            bytes += some.prefix(max(0, limit - bytes.count))
        }
    }

    // MARK: Its end

    /// Waits for its end. Read its pipes first, since it may wait for that.
    /// - Returns: Its exit code, or 128 plus the signal that killed it.
    package func wait() -> Int {
        guard let process = state.withLock({ $0.process }) else { return Self.code(state.withLock { $0.status }) }
        // It stays on the system's list until its number is forgotten, so that no signal can reach another program.
        while true {
            var information = siginfo_t()
            if waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) == 0 || errno != EINTR { break }
        }
        return state.withLock { state in
            if state.process != nil {
                while waitpid(process, &state.status, 0) < 0, errno == EINTR {}
                state.process = nil
            }
            return Self.code(state.status)
        }
    }

    /// Ends it at once.
    package func terminate() {
        state.withLock { if let process = $0.process { kill(process, SIGKILL) } }
    }

    /// The last bytes of its standard error, once it has closed that.
    package var errors: String {
        state.wait { $0.errorsEnded ? String(decoding: $0.errors, as: UTF8.self) : nil }
    }

    private static func code(_ status: Int32) -> Int { exitCode(status) ?? 128 + Int(status & 0x7F) }

    /// The exit code in what `waitpid` gives, or nil if a signal killed the program: the low seven bits are the signal, the next eight the
    /// exit code.
    package static func exitCode(_ status: Int32) -> Int? { status & 0x7F == 0 ? Int(status >> 8) & 0xFF : nil }

    // MARK: The system

    private static func readSome(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = SegNetPlatform.read(descriptor, bytes.baseAddress, bytes.count)
            if count < 0, errno == EINTR { continue }
            return count
        }
    }

    /// The two ends of a connection that no child inherits, with numbers above those that a child gets.
    private static func pair() -> (first: Int32, second: Int32)? {
        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
            guard socketpair(AF_UNIX, SOCK_STREAM, 0, &ends) == 0 else { return nil }
            var on: Int32 = 1
            setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
        #else
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
        #endif
        return moved(ends)
    }

    private static func pipe() -> (first: Int32, second: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard SegNetPlatform.pipe(&ends) == 0 else { return nil }
        return moved(ends)
    }

    /// Bytes of a pipe for pictures. Usual pipes have 64 KiB: both programs would wait for each other dozens of times per picture.
    private static let pipeBytes = 1 << 20

    /// Where the system lets it; what it gives instead is enough to work.
    private static func enlarge(_ pipe: Int32) {
        #if os(Linux)
            // F_SETPIPE_SZ, which Swift does not see.
            _ = fcntl(pipe, 1031, Int32(pipeBytes))
        #endif
    }

    private static func moved(_ ends: [Int32]) -> (first: Int32, second: Int32)? {
        let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 10) }
        let failure = errno
        for end in ends { close(end) }
        guard moved.allSatisfy({ $0 >= 0 }) else {
            for end in moved where end >= 0 { close(end) }
            errno = failure
            return nil
        }
        return (moved[0], moved[1])
    }

    #if canImport(Darwin)
        package typealias FileActions = posix_spawn_file_actions_t?
    #else
        package typealias FileActions = posix_spawn_file_actions_t
    #endif

    /// Starts a program without waiting for it.
    /// - Parameters:
    ///   - path: The program's file, or its name on PATH.
    ///   - arguments: The bytes of each argument, without the program's name.
    ///   - isApart: Whether it gets a process group of its own, so that Ctrl-C on the terminal reaches it through this program alone, and
    ///     the usual responses to signals.
    ///   - process: Gets its number.
    ///   - redirect: Says where its files lead.
    /// - Returns: 0, or the system's error number.
    package static func spawn(
        _ path: String,
        _ arguments: [[UInt8]],
        isApart: Bool,
        _ process: inout pid_t,
        redirect: (inout FileActions) -> Void
    ) -> Int32 {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        redirect(&actions)
        if isApart {
            var none = sigset_t()
            var usual = sigset_t()
            sigemptyset(&none)
            sigemptyset(&usual)
            for signal in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&usual, signal) }
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setsigdefault(&attributes, &usual)
            posix_spawnattr_setflags(
                &attributes,
                Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
            )
        }
        var words: [UnsafeMutablePointer<CChar>?] =
            ([Array(path.utf8)] + arguments).map { word in
                (word + [0]).withUnsafeBytes { bytes in
                    bytes.baseAddress.flatMap { strdup($0.assumingMemoryBound(to: CChar.self)) }
                }
            } + [nil]
        // Foundation's copy of the environment: Darwin does not show `environ` to Swift.
        var environment: [UnsafeMutablePointer<CChar>?] =
            ProcessInfo.processInfo.environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + environment { free(text) } }
        return posix_spawnp(&process, path, &actions, &attributes, &words, &environment)
    }
}

/// A program could not be started.
package struct SubprocessError: Error, CustomStringConvertible {
    package let program: String
    /// The system's error number.
    package let number: Int32

    package var description: String {
        "\(program): cannot be started (\(strerror(number).map { String(cString: $0) } ?? "error \(number)"))"
    }
}
