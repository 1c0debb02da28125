import SegNetToolkit
import Synchronization
import Testing

@testable import SegNetServer

@Suite("Memory", .timeLimit(.minutes(5)))
struct MemoryTests {
    private final class Available: Sendable {
        private let value: Mutex<Int?>
        init(_ bytes: Int?) { value = Mutex(bytes) }
        var bytes: Int? { value.withLock { $0 } }
        func set(_ bytes: Int) { value.withLock { $0 = bytes } }
    }

    @Test("a body for which there is no memory is refused while it arrives")
    func body() async throws {
        let available = Available(nil)
        try await LiveServer.run({ $0.availableMemory = { available.bytes } }) { server in
            let large = [UInt8](repeating: 65, count: 6 << 20)
            #expect(try await server.segment(large).status == 415)
            available.set(WorkMemory.spare + 3 << 20)
            let reply = try await server.segment(large)
            #expect(reply.status == 503)
            #expect(reply.headers["retry-after"] == "1")
            #expect(
                reply.detail
                    == "The service does not have the memory left to receive this picture. Try again in a moment, or send a smaller picture."
            )
            #expect(try await server.segment([UInt8](repeating: 65, count: 1000)).status == 415)
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_rejected_total{reason=\"no_memory\"} 1\n"))
        }
    }

    @Test("memory for a run at a large size is reserved before the picture is decoded")
    func largeRun() async throws {
        let catalog = try TestModels.catalog()
        let model = try catalog.model("plain")
        let run = try MemoryNeed.run(model, width: 512, height: 512)
        #expect(run > 512 * 512 * 12 * 5)
        #expect(try MemoryNeed.run(model, width: 64, height: 48) == 0)
        let available = Available(WorkMemory.spare + run / 2)
        try await LiveServer.run(catalog: catalog, { $0.availableMemory = { available.bytes } }) { server in
            let png = try TestModels.png()
            #expect(try await server.segment(png, "model=plain&size=512x512").status == 503)
            #expect(try await server.segment(png, "model=plain").status == 200)
            available.set(WorkMemory.spare + run + 1 << 20)
            #expect(try await server.segment(png, "model=plain&size=512x512").status == 200)
        }
    }

    @Test("the memory of a large run is released after it")
    func givenBack() async throws {
        // A separate one, since other tests run at other sizes at the same time.
        let loaded = LoadedModel(try TestModels.model(sampled: false), name: "plain")
        let catalog = try ModelCatalog(
            [ModelCatalog.Entry(name: "plain", loaded: loaded)],
            configuration: ServiceConfiguration(threads: 1, workers: 2)
        )
        let model = try catalog.model("plain")
        try await LiveServer.run(catalog: catalog) { server in
            let png = try TestModels.png()
            #expect(try await server.segment(png, "model=plain&size=512x512").status == 200)
            // What is idle now has at most the network's own size.
            #expect(model.segmenter.idleMemory <= (try model.segmenter.runBytes(width: 64, height: 48)))
        }
    }

    @Test("pictures in JSON need more memory than a single one, and large pictures more than small ones")
    func need() {
        #expect(MemoryNeed.picture(pixels: 1_000_000, kinds: [.mask], isJSON: false) == 16_000_000)
        #expect(MemoryNeed.picture(pixels: 1_000_000, kinds: [.overlay], isJSON: false) == 16_000_000)
        #expect(MemoryNeed.picture(pixels: 1_000_000, kinds: [.mask], isJSON: true) == 16_000_000)
        #expect(MemoryNeed.picture(pixels: 1_000_000, kinds: [.mask, .overlay], isJSON: true) == 28_000_000)
    }

    @Test("a forecast sums what the limits allow, and says what to do if there is less")
    func forecast() throws {
        var configuration = ServiceConfiguration(threads: 1, workers: 1)
        configuration.limits.pixels = 1_000_000
        configuration.limits.runPixels = 1
        configuration.limits.heldBytes = 10 << 20
        configuration.limits.heldAnswerBytes = 20 << 20
        configuration.availableMemory = { 1 << 30 }
        let catalog = try TestModels.catalog()
        let enough = MemoryForecast(configuration, catalog)
        let run = try MemoryNeed.run(try catalog.model("bayesian"), width: 1, height: 1)
        #expect(enough.most - enough.now - WorkMemory.spare - (30 << 20) - 28_000_000 - run <= 0)
        #expect(enough.most - enough.now > (30 << 20) + 28_000_000)
        #expect(enough.warning == nil)
        configuration.availableMemory = { 1 << 20 }
        let short = MemoryForecast(configuration, catalog)
        #expect(
            short.warning?.hasSuffix(
                "MiB are available: requests that do not fit are refused with 503. Lower --workers, --max-pixels, --max-run-pixels or "
                    + "--max-bytes, or give the server more memory (docs/server.md, Memory)."
            ) == true
        )
        #expect(short.summary.hasSuffix("MiB with everything at its limits"))
    }
}
