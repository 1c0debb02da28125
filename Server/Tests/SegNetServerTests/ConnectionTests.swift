import SegNetToolkit
import Testing

@testable import SegNetServer

/// Clients as they are: good ones, slow ones, and those that leave.
@Suite("Connections")
struct ConnectionTests {
    @Test("one connection serves many requests")
    func keepAlive() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            for seed in 1...3 {
                let image = try TestModels.picture(seed: UInt64(seed))
                try await connection.send(LiveServer.bytes("POST", "/v1/segment", body: try image.encodedPNG()))
                let reply = try await connection.receive()
                #expect(
                    try await LabelMap(decoding: reply.body, name: "mask") == TestModels.bare().segment(image).classes
                )
                #expect(reply.headers["connection"] == nil)
            }
            // Errors of a request that was received whole do not end the connection either.
            try await connection.send(LiveServer.bytes("POST", "/v1/segment", body: Array("no picture".utf8)))
            #expect(try await connection.receive().status == 415)
            try await connection.send(LiveServer.bytes("GET", "/healthz"))
            #expect(try await connection.receive().text == "ok\n")
        }
    }

    @Test("requests that are sent without waiting are answered in order")
    func pipelining() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            let bytes =
                LiveServer.bytes("POST", "/v1/segment?output=json", body: try TestModels.png())
                + LiveServer.bytes("GET", "/healthz")
                + LiveServer.bytes("POST", "/v1/segment", body: Array("text".utf8))
            try await connection.send(bytes)
            #expect(try await connection.receive().status == 200)
            #expect(try await connection.receive().text == "ok\n")
            #expect(try await connection.receive().status == 415)
        }
    }

    @Test("a chunked body is a body")
    func chunked() async throws {
        let image = try TestModels.picture()
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            let bytes = try image.encodedPNG()
            for start in stride(from: 0, to: bytes.count, by: 50) {
                let piece = bytes[start..<min(start + 50, bytes.count)]
                try await connection.send(
                    Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
                )
            }
            try await connection.send("0\r\n\r\n")
            let reply = try await connection.receive()
            #expect(try await LabelMap(decoding: reply.body, name: "mask") == TestModels.bare().segment(image).classes)
        }
    }

    @Test("who asks whether to send is told to, or refused without sending")
    func expectContinue() async throws {
        try await LiveServer.run({ $0.limits.bytes = 100_000 }) { server in
            let png = try TestModels.png()
            let connection = try server.connect()
            try await connection.send(
                "POST /v1/segment HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(png.count)\r\n\r\n"
            )
            #expect(try await connection.receive().status == 100)
            try await connection.send(png)
            #expect(try await connection.receive().status == 200)
            let refused = try server.connect()
            try await refused.send(
                "POST /v1/segment HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n"
            )
            #expect(try await refused.receive().status == 413)
            #expect(try await refused.isClosed())
        }
    }

    @Test("a client that wants to close is let go")
    func connectionClose() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send(LiveServer.bytes("GET", "/healthz", ["Connection": "Close"]))
            let reply = try await connection.receive()
            #expect(reply.headers["connection"] == "close")
            #expect(try await connection.isClosed())
        }
    }

    @Test("a client that has sent all and closed its side is answered")
    func halfClosed() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send(LiveServer.bytes("POST", "/v1/segment", body: try TestModels.png()))
            connection.finishSending()
            #expect(try await connection.receive().status == 200)
            #expect(try await connection.isClosed())
        }
    }

    @Test("a body that is cut short is said to be so", arguments: [false, true])
    func truncated(isChunked: Bool) async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            let png = try TestModels.png()
            let half = Array(png.prefix(png.count / 2))
            let framing =
                isChunked
                ? "Transfer-Encoding: chunked\r\n\r\n\(String(png.count, radix: 16))\r\n"
                : "Content-Length: \(png.count)\r\n\r\n"
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\n" + framing)
            try await connection.send(half)
            connection.finishSending()
            let reply = try await connection.receive()
            #expect(reply.status == 400)
            let whole = isChunked ? "" : " of \(png.count)"
            #expect(reply.detail == "The request's body ends after \(half.count)\(whole) bytes. Send it whole.")
        }
    }

    @Test("a client that leaves does not disturb the next")
    func reset() async throws {
        try await LiveServer.run { server in
            for length in [0, 100, 1000] {
                let connection = try server.connect()
                try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
                try await connection.send([UInt8](repeating: 1, count: length))
                connection.reset()
            }
            #expect(try await server.segment(try TestModels.png()).status == 200)
            try await eventually("all bodies released") {
                try await server.request("GET", "/metrics").text.contains("segnet_held_body_bytes 0")
            }
        }
    }

    @Test("a body that drips in is given up after its time")
    func slowBody() async throws {
        try await LiveServer.run({ $0.limits.receiveTime = .milliseconds(300) }) { server in
            let connection = try server.connect()
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
            for _ in 0..<3 {
                // On a busy machine its time may be over already.
                try? await connection.send([1])
                try await Task.sleep(for: .milliseconds(50))
            }
            let reply = try await connection.receive()
            #expect(reply.status == 408)
            #expect(
                reply.detail == "The request's body did not arrive within 0.3 s. Send it faster, or a smaller picture."
            )
            #expect(try await connection.isClosed())
        }
    }

    @Test("a head that drips in, and a connection that says nothing, are closed", arguments: ["", "GET /hea"])
    func slowHead(beginning: String) async throws {
        try await LiveServer.run({ $0.limits.idleTime = .milliseconds(300) }) { server in
            let connection = try server.connect()
            if !beginning.isEmpty { try await connection.send(beginning) }
            #expect(try await connection.isClosed())
        }
    }

    @Test("a client that does not take its answer is dropped")
    func slowReader() async throws {
        try await LiveServer.run({
            $0.limits.sendTime = .milliseconds(300)
            $0.limits.idleTime = .seconds(60)
        }) { server in
            let connection = try server.connect()
            // Answers of some megabytes, more than the system's buffers hold, and none of them read.
            let request = LiveServer.bytes(
                "POST",
                "/v1/segment?output=json&include=overlay,color",
                body: try TestModels.png(width: 1400, height: 1400)
            )
            try await connection.send(request)
            for _ in 0..<40 { try? await connection.send(LiveServer.bytes("GET", "/openapi.json")) }
            try await eventually("the connection is gone") {
                do {
                    for _ in 0..<50 { try await connection.send(LiveServer.bytes("GET", "/openapi.json")) }
                    return false
                } catch {
                    return true
                }
            }
            #expect(try await server.request("GET", "/healthz").status == 200)
        }
    }

    @Test(
        "what is not HTTP is told so, with an id",
        arguments: [
            "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n", "HELLO\r\n\r\n", "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
            "POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n",
        ]
    )
    func noHTTP(text: String) async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send(text)
            let reply = try await connection.receive()
            #expect(reply.status == 400)
            #expect(reply.detail == "This is not an HTTP/1.1 request that the service can read.")
            #expect(reply.headers["x-request-id"]?.count == 32)
            #expect(try await connection.isClosed())
        }
    }

    @Test("a damaged chunk is told so")
    func badChunk() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try await connection.send(
                "POST /v1/segment HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"
            )
            let reply = try await connection.receive()
            #expect(reply.status == 400)
            #expect(reply.detail.hasPrefix("The request's body is not valid HTTP ("))
        }
    }

    @Test("a head of any size is bounded")
    func hugeHead() async throws {
        try await LiveServer.run { server in
            let connection = try server.connect()
            try? await connection.send(
                "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 200_000) + "\r\n\r\n"
            )
            let reply = try await connection.receive()
            #expect(reply.status == 431)
            #expect(
                reply.detail
                    == "The request's head is too long: a field may have 16 KiB, and all together 64 KiB in at most 100 fields. Send less."
            )
            let metrics = try await server.request("GET", "/metrics").text
            #expect(
                metrics.contains("segnet_http_requests_total{method=\"other\",route=\"other\",status=\"431\"} 1\n")
            )
        }
    }

    @Test("HEAD answers as GET does, without the body")
    func head() async throws {
        try await LiveServer.run { server in
            let get = try await server.request("GET", "/openapi.json")
            let connection = try server.connect()
            try await connection.send(LiveServer.bytes("HEAD", "/openapi.json"))
            let head = try await connection.receive(toHead: true)
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == "\(get.body.count)")
            try await connection.send(LiveServer.bytes("GET", "/healthz"))
            #expect(try await connection.receive().text == "ok\n")
        }
    }
}
