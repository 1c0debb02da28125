import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("Graceful shutdown", .timeLimit(.minutes(5)))
struct ShutdownTests {
    @Test("/readyz says no at once, what was accepted is answered, then the port is closed")
    func finishes() async throws {
        let gate = Gate()
        let image = try TestModels.picture()
        let expected = try await TestModels.bare().segment(image).classes
        let (reply, port) = try await LiveServer.run({
            $0.workers = 1
            // On a busy machine it takes a while to see it.
            $0.shutdownDelay = .seconds(5)
            $0.beforeWork = { gate.wait() }
        }) { server in
            let watcher = try server.connect()
            try await watcher.send(LiveServer.bytes("GET", "/readyz"))
            #expect(try await watcher.receive().text == "ready\n")
            let png = try image.encodedPNG()
            async let accepted = server.segment(png)
            try await gate.waitForWorkers(1)
            await server.beginShutdown()
            // A connection that was open sees it.
            try await eventually("not ready") {
                try await watcher.send(LiveServer.bytes("GET", "/readyz"))
                let reply = try await watcher.receive()
                if reply.status == 503 {
                    #expect(reply.detail == "The service is shutting down.")
                    #expect(reply.headers["retry-after"] == "1")
                }
                return reply.status == 503
            }
            // Its delay over, new connections are refused while the accepted request is still held back.
            try await eventually("the port is closed") { (try? server.connect()) == nil }
            gate.release()
            return (try await accepted, server.port)
        }
        #expect(reply.status == 200)
        #expect(try LabelMap(decoding: reply.body, name: "mask") == expected)
        #expect(throws: RawConnection.Failure.self) { try RawConnection(port: port) }
    }

    @Test("work that comes after the delay is sent elsewhere")
    func refuses() async throws {
        let gate = Gate()
        try await LiveServer.run({
            $0.workers = 1
            $0.shutdownDelay = .milliseconds(50)
            $0.beforeWork = { gate.wait() }
        }) { server in
            // Two requests on one connection: the second is read when the first has been answered.
            let connection = try server.connect()
            let request = LiveServer.bytes("POST", "/v1/segment", body: try TestModels.png())
            try await connection.send(request + request)
            try await gate.waitForWorkers(1)
            await server.beginShutdown()
            try await eventually("the port is closed") { (try? server.connect()) == nil }
            gate.release()
            #expect(try await connection.receive().status == 200)
            let second = try await connection.receive()
            #expect(second.status == 503)
            #expect(second.detail == "The service is shutting down. Try again in a moment.")
            #expect(second.headers["retry-after"] == "1")
        }
    }
}
