import Synchronization
import Testing
import UnixSignals

@testable import SegNetServerCommand

@Suite("Signals to stop")
struct StopSignalsTests {
    @Test("the first lets it finish, the second ends it at once", arguments: [UnixSignal.sigterm, .sigint])
    func second(signal: UnixSignal) async {
        let (signals, continuation) = AsyncStream.makeStream(of: UnixSignal.self)
        let told = Mutex<[String]>([])
        continuation.yield(.sigterm)
        continuation.yield(signal)
        continuation.finish()
        await StopSignals.watch(signals) {
            told.withLock { $0.append("finish") }
        } end: { signal in
            told.withLock { $0.append("end \(signal.rawValue)") }
        }
        #expect(told.withLock { $0 } == ["finish", "end \(signal.rawValue)"])
    }
}
