import SegNetToolkit
import Testing

@testable import SegNetServer

/// Bodies that state no length, are too long, or find no room.
@Suite("Errors of bodies")
struct BodyErrorTests {
    @Test("a body that says it is too long is refused before it is sent")
    func tooLong() async throws {
        try await LiveServer.run({ $0.limits.bytes = 1000 }) { server in
            let connection = try server.connect()
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n")
            let reply = try await connection.receive()
            #expect(reply.status == 413)
            #expect(reply.detail == "The request's body has 1001 bytes; the limit is 1000. Send a smaller picture.")
            #expect(reply.headers["connection"] == "close")
            let huge = try server.connect()
            try await huge.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999\r\n\r\n")
            #expect(try await huge.receive().status == 413)
        }
    }

    @Test("a chunked body is refused as soon as it is too long")
    func tooLongChunked() async throws {
        try await LiveServer.run({ $0.limits.bytes = 1000 }) { server in
            let connection = try server.connect()
            try await connection.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            // It does not end: the answer comes all the same.
            try await connection.send("400\r\n" + String(repeating: "a", count: 1024) + "\r\n")
            let reply = try await connection.receive()
            #expect(reply.status == 413)
            #expect(
                reply.detail
                    == "The request's body has more bytes than allowed; the limit is 1000. Send a smaller picture."
            )
        }
    }

    @Test("a request without a body is asked for its length")
    func noLength() async throws {
        let reply = try await LiveServer.run { try await $0.request("POST", "/v1/segment") }
        #expect(reply.status == 411)
        #expect(reply.detail == "The request has no body. Send the picture with its Content-Length, or chunked.")
    }

    @Test("when all bodies together are too much, the next is put off")
    func budget() async throws {
        try await LiveServer.run({
            $0.limits.bytes = 1000
            $0.limits.heldBytes = 1000
        }) { server in
            let first = try server.connect()
            try await first.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")
            try await first.send([UInt8](repeating: 65, count: 800))
            try await eventually("800 bytes held") {
                try await server.request("GET", "/metrics").text.contains("segnet_held_body_bytes 800")
            }
            let second = try await server.segment([UInt8](repeating: 65, count: 300))
            #expect(second.status == 503)
            #expect(second.headers["retry-after"] == "1")
            #expect(second.detail == "The service is receiving as much as it can hold. Try again in a moment.")
            try await first.send([UInt8](repeating: 65, count: 100))
            #expect(try await first.receive().status == 415)
            #expect(try await server.segment([UInt8](repeating: 65, count: 300)).status == 415)
        }
    }
}
