import Logging
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNetServer

@Suite("Room for connections")
struct ConnectionRoomTests {
    private final class System: Sendable {
        private let free = Mutex(true)
        var isFree: Bool {
            get { free.withLock { $0 } }
            set { free.withLock { $0 = newValue } }
        }
    }

    private func logger(_ lines: LoggingTests.Lines) -> Logger {
        Logger(label: "test") { JSONLogHandler(label: $0, write: lines.add) }
    }

    @Test("without a free descriptor none is accepted until one has closed, and the log says so once")
    func descriptors() {
        let (lines, system) = (LoggingTests.Lines(), System())
        let room = ConnectionRoom(limit: 10, logger: logger(lines)) { system.isFree }
        room.connectionOpened()
        room.connectionOpened()
        #expect(room.isAcceptingNewConnections())
        #expect(lines.all.isEmpty)
        system.isFree = false
        for _ in 0..<5 { #expect(!room.isAcceptingNewConnections()) }
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("new connections wait: no file descriptor is left") == true)
        #expect(lines.all.first?.contains(#""connections":"2""#) == true)
        system.isFree = true
        room.connectionClosed()
        #expect(room.isAcceptingNewConnections())
        system.isFree = false
        #expect(!room.isAcceptingNewConnections())
        #expect(lines.all.count == 2, "a new pause is news")
    }

    @Test("with no connection that could close, it keeps asking, but with pauses")
    func nobodyThere() {
        let lines = LoggingTests.Lines()
        let room = ConnectionRoom(limit: 10, logger: logger(lines)) { false }
        let start = ContinuousClock.now
        for _ in 0..<4 { #expect(room.isAcceptingNewConnections()) }
        #expect(ContinuousClock.now - start > .milliseconds(150))
        #expect(lines.all.count == 1)
    }

    @Test("connections beyond the limit wait, are served when others close, and the log says why they wait")
    func limit() async throws {
        let lines = LoggingTests.Lines()
        try await LiveServer.run({
            $0.limits.connections = 2
            $0.logger = logger(lines)
        }) { server in
            var open: [RawConnection] = []
            // The system hands over a few at a time, so a few more than two may be served.
            for _ in 0..<12 {
                let connection = try server.connect()
                try await connection.send(LiveServer.bytes("GET", "/healthz"))
                open.append(connection)
            }
            try await eventually("the log says that connections wait") {
                lines.all.contains { $0.contains("as many connections are open as the service takes") }
            }
            let last = try #require(open.last)
            open.removeAll()
            #expect(try await last.receive().text == "ok\n")
        }
    }

    @Test("the system's limit leaves room for other files")
    func system() {
        #expect(Descriptors.areLeft)
        #expect(Descriptors.forConnections >= 1)
        let soft = Descriptors.forConnections
        Descriptors.raiseLimit()
        #expect(Descriptors.forConnections >= soft - 64)
    }
}
