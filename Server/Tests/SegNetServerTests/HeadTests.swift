import Foundation
import Logging
import SegNetToolkit
import Testing

@testable import SegNetServer

/// Requests whose heads are old, doubtful or too long.
@Suite("Heads of requests")
struct HeadTests {
    @Test(
        "HTTP/1.0 is answered, and its connection closed",
        arguments: ["", "Host: a\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n"]
    )
    func oldVersion(fields: String) async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send("GET /healthz HTTP/1.0\r\n\(fields)\r\n")
            let reply = try await connection.receive()
            #expect(reply.status == 200)
            #expect(reply.headers["connection"] == "close")
            #expect(try await connection.isClosed())
        }
    }

    @Test("a client of HTTP/1.0 that has closed its side gets its answer, and nothing before it")
    func oldVersionHalfClosed() async throws {
        let gate = Gate()
        try await LiveServer.run({
            $0.workers = 1
            $0.beforeWork = { gate.wait() }
        }) { server in
            let connection = try server.connect()
            let png = try TestModels.png()
            try await connection.send(
                Array("POST /v1/segment HTTP/1.0\r\nContent-Length: \(png.count)\r\n\r\n".utf8) + png
            )
            connection.finishSending()
            try await gate.waitForWorkers(1)
            // Longer than it takes to notice that the client's side is closed.
            try await Task.sleep(for: .milliseconds(300))
            gate.release()
            #expect(try await connection.receive(skipsInformation: false).status == 200)
        }
    }

    @Test(
        "a request names one host",
        arguments: [
            ("", "The request has no Host. Send 'Host' with the name of the server."),
            ("Host: a\r\nHost: b\r\n", "The request has 2 Hosts. Send 'Host' once."),
            ("Host: a\r\nhost: a\r\n", "The request has 2 Hosts. Send 'Host' once."),
            ("Host: a/b@c\r\n", "'a/b@c' is not a valid Host. Send 'Host' with the name of the server."),
            ("Host: a, b\r\n", "'a, b' is not a valid Host. Send 'Host' with the name of the server."),
        ]
    )
    func host(fields: String, detail: String) async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            let png = try TestModels.png()
            try await connection.send(
                Array("POST /v1/segment HTTP/1.1\r\n\(fields)Content-Length: \(png.count)\r\n\r\n".utf8) + png
            )
            let reply = try await connection.receive()
            #expect(reply.status == 400)
            #expect(reply.detail == detail)
            #expect(reply.headers["connection"] == "close")
            #expect(try await connection.isClosed())
        }
    }

    @Test("usual hosts are accepted", arguments: ["", "a", "127.0.0.1:8080", "[::1]:80", "a_b.example", "a%20b"])
    func goodHost(host: String) async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send("GET /healthz HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            #expect(try await connection.receive().status == 200)
        }
    }

    @Test("requests before a doubtful head are answered first")
    func pipelinedHost() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n")
            #expect(try await connection.receive().status == 200)
            #expect(try await connection.receive().status == 400)
            #expect(try await connection.isClosed())
        }
    }

    @Test(
        "an address too long for the parser has its status, on a first request and on a later one",
        arguments: [0, 1]
    )
    func longAddress(requestsBefore: Int) async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            for _ in 0..<requestsBefore {
                try await connection.send(LiveServer.bytes("GET", "/healthz"))
                #expect(try await connection.receive().status == 200)
            }
            try? await connection.send("GET /healthz?" + String(repeating: "a", count: 20_000) + " HTTP/1.1\r\n")
            let reply = try await connection.receive()
            #expect(reply.status == 414)
            #expect(
                reply.detail
                    == "The request's address has more than 16 KiB; the service takes up to 8192 bytes. Send parameters as a form."
            )
            #expect(reply.headers["x-request-id"]?.count == 32)
        }
    }

    @Test("a head with too many fields is too long")
    func manyFields() async throws {
        try await LiveServer.run { server in
            let fields = (0..<200).map { "X-\($0): a\r\n" }.joined()
            let connection = try server.connect()
            try await connection.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
            #expect(try await connection.receive().status == 431)
        }
    }

    @Test("a transfer coding other than chunked is reported as unknown")
    func transferCoding() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send(
                "POST /v1/segment HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            )
            let reply = try await connection.receive()
            #expect(reply.status == 501)
            #expect(
                reply.detail
                    == "The service does not know the transfer coding 'gzip, chunked'. Send the body with its Content-Length, or chunked."
            )
        }
    }

    @Test("input that the parser refuses is in the log and the metrics, with the id that the client got")
    func logged() async throws {
        let lines = LoggingTests.Lines()
        let ids = try await LiveServer.run({
            $0.logger = Logger(label: "segnet-server") { JSONLogHandler(label: $0, write: lines.add) }
        }) { server in
            var ids: [String] = []
            for text in ["HELLO\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /" + String(repeating: "a", count: 20_000)] {
                let connection = try server.connect()
                try await connection.send(text)
                ids.append(try await connection.receive().headers["x-request-id"] ?? "none")
            }
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("{method=\"other\",route=\"other\",status=\"400\"} 2\n"))
            #expect(metrics.contains("{method=\"other\",route=\"other\",status=\"414\"} 1\n"))
            return ids
        }
        let logged = try lines.all.map { try JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
            .filter { $0["message"] == "not a request" }
        #expect(logged.map { $0["request.id"] } == ids)
        #expect(logged.map { $0["status"] } == ["400", "400", "414"])
    }
}
