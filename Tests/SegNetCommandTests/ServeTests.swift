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

    @Test("takes the server's options as they are")
    func arguments() throws {
        let command = try SegNetCommand.parseAsRoot(["serve", "--port", "9000", "--help"])
        #expect((command as? Serve)?.arguments == ["--port", "9000", "--help"])
    }
}
