import Foundation
import Logging
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNetServer

@Suite("Logs")
struct LoggingTests {
    final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test("each request is a line of JSON with its id, its path without the query, and how it ended")
    func requests() async throws {
        let lines = Lines()
        try await LiveServer.run({
            $0.logger = Logger(label: "segnet-server") { JSONLogHandler(label: $0, write: lines.add) }
        }) { server in
            _ = try await server.request(
                "POST",
                "/v1/segment?model=plain",
                ["X-Request-ID": "my-id"],
                body: Array("a\"\n".utf8)
            )
            _ = try await server.request("GET", "/no\u{1b}thing")
        }
        let requests = try lines.all.compactMap { line -> [String: String]? in
            #expect(!line.contains("\n"))
            let fields = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            return fields["message"] == "request" ? fields : nil
        }
        let first = try #require(requests.first { $0["request.id"] == "my-id" })
        #expect(first["method"] == "POST")
        #expect(first["path"] == "/v1/segment")
        #expect(first["status"] == "415")
        #expect(first["level"] == "info")
        #expect(first["logger"] == "segnet-server")
        #expect(Double(first["ms"] ?? "") != nil)
        #expect(first["time"]?.hasSuffix("Z") == true)
    }

    @Test(
        "what a client sends cannot disturb a message",
        arguments: [
            ("a\nb\u{1b}[31mc", "a?b?[31mc"),
            (String(repeating: "x", count: 100), String(repeating: "x", count: 80) + "…"),
            // One character of a letter and a thousand accents.
            ("a" + "e" + String(repeating: "\u{301}", count: 1000), "a…"),
            (String(repeating: "漢", count: 81), String(repeating: "漢", count: 80) + "…"),
        ]
    )
    func shortened(text: String, shown: String) {
        #expect(text.shortened == shown)
    }
}
