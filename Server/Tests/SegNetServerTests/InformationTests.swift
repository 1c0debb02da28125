import CoreMetrics
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("Models, samples, page, metrics")
struct InformationTests {
    @Test("/v1/models lists the models, the default first, with classes and colours")
    func models() async throws {
        let reply = try await LiveServer.run { try await $0.request("GET", "/v1/models") }
        let models = try reply.json(InformationEndpoints.Models.self).models
        #expect(models.map(\.name) == ["plain", "bayesian"])
        #expect(models.map(\.isDefault) == [true, false])
        #expect(models.map(\.canSample) == [false, true])
        let plain = models[0]
        #expect((plain.width, plain.height) == (64, 48))
        #expect(plain.architecture == "segnet-basic")
        #expect((plain.data, plain.licence) == ("no data", "none"))
        #expect(plain.classes.first == ServedModel.Class(id: 0, name: "sky", color: "#808080"))
        #expect(plain.classes.last == ServedModel.Class(id: 4, name: "car", color: "#0A00FF"))
    }

    @Test("the page's sample pictures are listed as its list has them, and given out")
    func samples() async throws {
        let file = TestFiles.page.appending(path: "samples/samples.json")
        let listed = try JSONDecoder().decode(InformationEndpoints.Samples.self, from: Data(contentsOf: file)).samples
        #expect(listed.count == 7)
        try await LiveServer.run { server in
            let samples = try await server.request("GET", "/v1/samples").json(InformationEndpoints.Samples.self).samples
            // The picture next to the models has the name of one of them.
            #expect(samples == listed)
            for sample in samples {
                let picture = try await server.request("GET", sample.url)
                #expect(picture.headers["content-type"] == "image/jpeg")
                #expect(try Image(decoding: picture.body, name: sample.name).width >= 480)
                #expect(try await server.segment(picture.body).status == 200)
            }
        }
    }

    @Test("the page comes with a tag, and not again for those who have it")
    func page() async throws {
        try await LiveServer.run { server in
            let page = try await server.request("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers["content-type"] == "text/html; charset=utf-8")
            let tag = try #require(page.headers["etag"])
            let again = try await server.request("GET", "/", ["If-None-Match": "\"x\", \(tag)"])
            #expect(again.status == 304)
            #expect(again.headers["x-request-id"] != nil)
            #expect(try await server.request("GET", "/", ["If-None-Match": "\"x\""]).status == 200)
        }
    }

    @Test("/metrics counts requests, bytes, pixels and stages")
    func metrics() async throws {
        try await LiveServer.run { server in
            let png = try TestModels.png()
            _ = try await server.segment(png)
            _ = try await server.segment(Array("no picture".utf8))
            _ = try await server.request("GET", "/nothing/\(UInt64.random(in: 0 ... .max))")
            let reply = try await server.request("GET", "/metrics")
            #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let lines = Set(reply.text.split(separator: "\n").map(String.init))
            for line in [
                "# TYPE segnet_http_requests_total counter",
                "segnet_http_requests_total{method=\"POST\",route=\"/v1/segment\",status=\"200\"} 1",
                "segnet_http_requests_total{method=\"POST\",route=\"/v1/segment\",status=\"415\"} 1",
                "segnet_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 1",
                "segnet_received_bytes_total \(png.count + 10)",
                "segnet_pixels_total 1200",
                "segnet_stage_seconds_count{stage=\"network\"} 1",
                "segnet_stage_seconds_bucket{stage=\"network\",le=\"+Inf\"} 1",
                "segnet_stage_seconds_count{stage=\"receive\"} 2",
                "segnet_http_requests_in_flight 1",
                "segnet_queue_limit 64",
                "segnet_workers 2",
                "segnet_ready 1",
            ] { #expect(lines.contains(line), "\(line)") }
            let resident = try #require(lines.first { $0.hasPrefix("process_resident_memory_bytes ") })
            #expect((Double(resident.split(separator: " ")[1]) ?? 0) > 1e6)
            // Every name is explained.
            for line in lines where line.hasPrefix("# TYPE ") {
                let name = line.split(separator: " ")[2]
                #expect(lines.contains { $0.hasPrefix("# HELP \(name) ") }, "\(name)")
            }
        }
    }

    @Test("a registry writes Prometheus' text format")
    func registry() {
        let registry = PrometheusRegistry(help: ["a_b": "Help."])
        registry.makeCounter(label: "a.b", dimensions: [("k", "v\"\\\n")]).increment(by: 2)
        registry.makeMeter(label: "m", dimensions: []).set(1.5)
        let timer = registry.makeTimer(label: "t", dimensions: [("s", "x")])
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(40_000_000_000)
        let text = registry.text()
        #expect(
            text.hasPrefix(
                "# HELP a_b Help.\n# TYPE a_b counter\na_b{k=\"v\\\"\\\\\\n\"} 2\n# TYPE m gauge\nm 1.5\n# TYPE t histogram\n"
            )
        )
        #expect(text.contains("t_bucket{s=\"x\",le=\"0.001\"} 0\nt_bucket{s=\"x\",le=\"0.0025\"} 1\n"))
        #expect(
            text.contains(
                "t_bucket{s=\"x\",le=\"30\"} 1\nt_bucket{s=\"x\",le=\"+Inf\"} 2\nt_sum{s=\"x\"} 40.002\nt_count{s=\"x\"} 2\n"
            )
        )
    }

    @Test("a port that is taken is named, with the next step")
    func portTaken() async throws {
        try await LiveServer.run { server in
            let error = await #expect(throws: ServiceError.self) {
                try await LiveServer.run({ $0.port = server.port }) { _ in }
            }
            #expect(
                error?.description
                    == "port \(server.port) on 127.0.0.1 is taken by another program; stop that one, or choose another with --port (0 lets the system choose)."
            )
        }
    }

    @Test("an address that is not this machine's is named")
    func badHost() async throws {
        let advice = "use --host 127.0.0.1 for this machine only, 0.0.0.0 for all networks."
        let error = await #expect(throws: ServiceError.self) {
            try await LiveServer.run({ $0.host = "192.0.2.1" }) { _ in }
        }
        #expect(error?.description == "'192.0.2.1' is not an address of this machine; \(advice)")
    }

    @Test("a page's folder without a page is named")
    func noPage() async throws {
        let folder = TestFiles.repository.appending(path: "docs")
        let error = await #expect(throws: ServiceError.self) { try await LiveServer.run({ $0.page = folder }) { _ in } }
        #expect(
            error?.description
                == "\(folder.path(percentEncoded: false)): there is no index.html in the page's folder; name the right one with --page."
        )
    }
}
