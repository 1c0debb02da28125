import ArgumentParser
import Foundation
import Testing

@testable import SegNetCommand

@Suite("segnet serve")
struct ServeTests {
    @Test("looks next to itself, in the source tree, then in PATH")
    func candidates() {
        #expect(
            Serve.candidates(executable: URL(filePath: "/home/a/.build/x/release/segnet"), path: "/usr/bin:/opt/")
                == [
                    "/home/a/.build/x/release/segnet-server", "/home/a/Server/.build/x/release/segnet-server",
                    "/usr/bin/segnet-server", "/opt/segnet-server",
                ]
        )
        #expect(
            Serve.candidates(executable: URL(filePath: "/usr/local/bin/segnet"), path: nil) == [
                "/usr/local/bin/segnet-server"
            ]
        )
        #expect(Serve.candidates(executable: nil, path: nil).isEmpty)
    }

    @Test("says what it is and how to get it where the server is not installed", arguments: ["--help", "-h"])
    func missingHelp(word: String) throws {
        let console = Console.recording(isTerminal: false)
        try Serve.tellMissing(["--port", "9000", word], on: console)
        #expect(console.recordedOutput.contains("OVERVIEW: Start the web page and the HTTP service."))
        #expect(
            console.recordedErrors.contains("note: segnet-server was not found")
                && console.recordedErrors.contains("'make server'")
        )
    }

    @Test("fails without the server, with the next step")
    func missing() {
        let console = Console.recording(isTerminal: false)
        #expect(throws: ExitCode.failure) { try Serve.tellMissing(["--port", "9000"], on: console) }
        #expect(
            console.recordedErrors.hasPrefix("error: segnet-server was not found") && console.recordedOutput.isEmpty
        )
    }

    @Test("takes the server's options as they are")
    func arguments() throws {
        let command = try SegNetCommand.parseAsRoot(["serve", "--port", "9000", "--help"])
        #expect((command as? Serve)?.arguments == ["--port", "9000", "--help"])
    }
}
