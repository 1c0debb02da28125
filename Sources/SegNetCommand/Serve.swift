import ArgumentParser
import SegNetToolkit

/// Hands over to `segnet-server`, which is a program of its own, so that this one does not carry a web server.
struct Serve: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start the web page and the HTTP service.",
        discussion: """
            Runs segnet-server with the same arguments; 'segnet serve --help' shows its options. It is looked for next to \
            this program, in the source tree it was built from, and in PATH. 'make server' builds it, 'make install' \
            installs it once it is built.

            EXAMPLES:
              segnet serve
              segnet serve --model camvid.safetensors --port 9000
            """
    )

    @Argument(parsing: .captureForPassthrough, help: "Arguments for segnet-server.")
    var arguments: [String] = []

    func run(on console: Console) throws {
        let candidates = Self.candidates(
            executable: ModelStore.executable,
            path: ProcessInfo.processInfo.environment["PATH"]
        )
        guard let server = candidates.first(where: { access($0, X_OK) == 0 }) else {
            return try Self.tellMissing(arguments, on: console)
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([server] + arguments).map { strdup($0) }
        words.append(nil)
        // Returns only if it fails: otherwise this process is the server from here on, with its signals and its exit code.
        execv(server, &words)
        let reason = String(cString: strerror(errno))
        for word in words { free(word) }
        console.error("\(server) cannot be started (\(reason)); build it again with 'make server'.")
        throw ExitCode.failure
    }

    /// Without the server: who asks for help gets what is known here.
    static func tellMissing(_ arguments: [String], on console: Console) throws {
        let text =
            "segnet-server was not found; it is a separate program. Build it with 'make server' in the source folder, and "
            + "install it next to this one with 'make install'."
        guard arguments.contains("--help") || arguments.contains("-h") else {
            console.error(text)
            throw ExitCode.failure
        }
        console.print(SegNetCommand.helpMessage(for: Serve.self))
        console.note("note: \(text) Its own --help lists the other options.")
    }

    /// Where the server can be, in the order of the search.
    static func candidates(executable: URL?, path: String?) -> [String] {
        var folders: [String] = []
        if let executable {
            folders.append(executable.deletingLastPathComponent().path(percentEncoded: false))
            // PACKAGE/.build/TRIPLE/release/segnet has PACKAGE/Server/.build/TRIPLE/release/segnet-server.
            if let source = ModelStore.sourceFolder(of: executable) {
                folders.append(
                    source.package.appending(path: "Server/.build/\(source.build)").path(percentEncoded: false)
                )
            }
        }
        folders += path?.split(separator: ":").map(String.init) ?? []
        return folders.map { $0.hasSuffix("/") ? $0 + "segnet-server" : $0 + "/segnet-server" }
    }
}
