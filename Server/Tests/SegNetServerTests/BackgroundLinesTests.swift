import Dispatch
import Logging
import Synchronization
import Testing

@testable import SegNetServer

@Suite("A log whose reader hangs", .timeLimit(.minutes(5)))
struct BackgroundLinesTests {
    /// A reader that takes nothing until it is let go.
    private final class Reader: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        private let isOpen = Mutex(false)
        private let taken = Mutex<[String]>([])

        var lines: [String] { taken.withLock { $0 } }

        func take(_ line: String) {
            if !isOpen.withLock({ $0 }) { gate.wait() }
            taken.withLock { $0.append(line) }
        }

        func letGo() {
            isOpen.withLock { $0 = true }
            gate.signal()
        }
    }

    @Test("drops lines beyond its bound, and says how many")
    func drops() async throws {
        let reader = Reader()
        let lines = BackgroundLines(mostBytes: 1000, sink: reader.take)
        for number in 0..<100 { lines.write("line \(number) of twenty") }
        #expect(lines.dropped > 0)
        reader.letGo()
        await lines.flush(within: .seconds(30))
        let told = try #require(reader.lines.last)
        let kept = reader.lines.dropLast()
        #expect(kept.first == "line 0 of twenty")
        #expect(told == "\(100 - kept.count) lines of the log were dropped: its reader was too slow.")
        lines.write("after")
        await lines.flush(within: .seconds(30))
        #expect(reader.lines.last == "after")
    }

    @Test("flushing waits a limited time")
    func flush() async {
        let reader = Reader()
        let lines = BackgroundLines(sink: reader.take)
        lines.write("a")
        let start = ContinuousClock.now
        await lines.flush(within: .milliseconds(50))
        #expect(ContinuousClock.now - start < .seconds(20))
        reader.letGo()
    }

    @Test("the service goes on answering", arguments: [false, true])
    func service(isText: Bool) async throws {
        let reader = Reader()
        let lines = BackgroundLines(mostBytes: 10_000, sink: reader.take)
        try await LiveServer.run({
            $0.logger = Logger(label: "test") { label -> any LogHandler in
                if isText { return StreamLogHandler(label: label, stream: BackgroundLines.Stream(lines)) }
                return JSONLogHandler(label: label, write: lines.write)
            }
        }) { server in
            for _ in 0..<200 {
                let reply = try await server.request("GET", "/healthz")
                #expect(reply.status == 200)
            }
            #expect(lines.dropped > 0)
        }
        reader.letGo()
        await lines.flush(within: .seconds(30))
        #expect(reader.lines.allSatisfy { !$0.contains("\n") })
    }
}
