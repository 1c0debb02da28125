import HTTPTypes
import NIOPosix
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("The queue before the workers", .timeLimit(.minutes(5)))
struct QueueTests {
    @Test("beyond its bound requests are refused at once, and those it has are answered")
    func full() async throws {
        let gate = Gate()
        try await LiveServer.run({
            $0.workers = 1
            $0.limits.queue = 2
            $0.beforeWork = { gate.wait() }
        }) { server in
            let image = try TestModels.picture()
            let png = try image.encodedPNG()
            let expected = try await TestModels.bare().segment(image).classes
            try await withThrowingTaskGroup(of: Reply.self) { group in
                // One that is worked on, two that wait.
                group.addTask { try await server.segment(png) }
                try await gate.waitForWorkers(1)
                for _ in 0..<2 { group.addTask { try await server.segment(png) } }
                try await eventually("two wait") {
                    try await server.request("GET", "/metrics").text.contains("segnet_queue_depth 2\n")
                }
                // While the gate is shut nobody's work ends: an answer now is one at once.
                let refused = try await server.segment(png)
                #expect(refused.status == 503)
                #expect((1...3600).contains(Int(refused.headers["retry-after"] ?? "") ?? 0))
                #expect(
                    refused.detail
                        == "The service has as many requests waiting as it takes (2). Try again after the time in Retry-After."
                )
                // It is refused before its body is sent.
                let early = try server.connect()
                try await early.send("POST /v1/segment HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
                #expect(try await early.receive().status == 503)
                // Others are answered meanwhile.
                #expect(try await server.request("GET", "/v1/models").status == 200)
                gate.release()
                for try await reply in group {
                    #expect(reply.status == 200)
                    #expect(try LabelMap(decoding: reply.body, name: "mask") == expected)
                }
            }
            #expect(try await server.segment(png).status == 200)
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_rejected_total{reason=\"queue_full\"} 2\n"))
            #expect(metrics.contains("segnet_queue_depth 0\n"))
        }
    }

    @Test("who would wait beyond the deadline is told so at once")
    func hopeless() async throws {
        let gate = Gate()
        let metrics = ServiceMetrics()
        // Work is taken to last a tenth of a second until some has been done: the fourth would wait 0.3 s.
        let pool = InferencePool(workers: 1, limit: 100, deadline: .milliseconds(250), metrics: metrics)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let later = ContinuousClock.now + .seconds(600)
            group.addTask {
                try await pool.perform(until: later, on: MultiThreadedEventLoopGroup.singleton.next()) { _, _ in
                    gate.wait()
                }
            }
            try await gate.waitForWorkers(1)
            for count in 1...3 {
                group.addTask {
                    try await pool.perform(until: later, on: MultiThreadedEventLoopGroup.singleton.next()) { _, _ in }
                }
                try await eventually("\(count) wait") { pool.load.waiting == count }
            }
            let problem = #expect(throws: Problem.self) { try pool.checkRoom() }
            #expect(
                problem?.detail
                    == "The service has more requests waiting than it can answer by its deadline. Try again after the time in Retry-After."
            )
            #expect(problem?.headers[.retryAfter] == "1")
            gate.release()
            try await group.waitForAll()
        }
        #expect(pool.load.waiting == 0)
        await pool.stop()
    }

    @Test("no place to wait is enough while a worker is free")
    func noQueue() async throws {
        try await LiveServer.run({ $0.limits.queue = 0 }) { server in
            for _ in 0..<3 {
                let reply = try await server.segment(try TestModels.png())
                #expect(reply.status == 200)
            }
        }
    }

    @Test("at its deadline a request is answered, running or waiting, and its place is free")
    func deadline() async throws {
        let gate = Gate()
        try await LiveServer.run({
            $0.workers = 1
            $0.limits.queue = 1
            $0.limits.deadline = .milliseconds(400)
            $0.beforeWork = { gate.wait() }
        }) { server in
            let png = try TestModels.png()
            try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<2 { group.addTask { try await server.segment(png) } }
                for try await reply in group {
                    #expect(reply.status == 504)
                    #expect(
                        reply.detail
                            == "The answer was not ready by the service's deadline. Send a smaller picture or fewer samples, or try again later."
                    )
                }
            }
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_queue_depth 0\n"))
            #expect(metrics.contains("segnet_rejected_total{reason=\"deadline\"} 2\n"))
            gate.release()
            try await eventually("the worker is free") {
                try await server.request("GET", "/metrics").text.contains("segnet_working 0\n")
            }
            // On a busy machine one may take longer than this deadline; a place that is not free would refuse them all.
            try await eventually("the next is answered") { try await server.segment(png).status == 200 }
        }
    }

    @Test("the pictures of a batch get their own 504, and the batch has it if no picture was in time")
    func batchDeadline() async throws {
        let gate = Gate()
        var form = TestForm()
        for _ in 0..<2 { form.add("image", fileName: "a.png", try TestModels.png()) }
        try await LiveServer.run({
            $0.limits.deadline = .milliseconds(300)
            $0.beforeWork = { gate.wait() }
        }) { [form] server in
            let reply = try await server.request(
                "POST",
                "/v1/segment/batch",
                ["Content-Type": form.contentType],
                body: form.bytes
            )
            #expect(reply.status == 504)
            #expect(try reply.json(BatchFailure.Document.self).results.map(\.status) == [504, 504])
            gate.release()
        }
    }

    @Test("work that nobody waits for any more ends between two layers")
    func cancelled() async throws {
        // A hundred samples of a size that takes some milliseconds each: far longer than the deadline.
        try await LiveServer.run({
            $0.workers = 1
            $0.limits.deadline = .milliseconds(150)
        }) { server in
            let reply = try await server.segment(try TestModels.png(), "model=bayesian&samples=100&size=1024x768")
            #expect(reply.status == 504)
            try await eventually("the worker is free") {
                try await server.request("GET", "/metrics").text.contains("segnet_working 0\n")
            }
            // It never came to an end that could have been counted.
            let metrics = try await server.request("GET", "/metrics").text
            #expect(!metrics.contains("segnet_stage_seconds_count{stage=\"network\"}"))
        }
    }

    @Test("many clients at once each get their own picture's mask")
    func concurrent() async throws {
        let images = try (0..<8).map { try TestModels.picture(width: 30 + $0, height: 40 - $0, seed: UInt64($0)) }
        let bare = try TestModels.bare()
        let expected = try images.map { try bare.segment($0).classes }
        try await LiveServer.run { server in
            try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
                for index in 0..<32 {
                    let png = try images[index % 8].encodedPNG()
                    group.addTask { (index % 8, try await server.segment(png)) }
                }
                for try await (index, reply) in group {
                    #expect(try LabelMap(decoding: reply.body, name: "mask") == expected[index])
                }
            }
        }
    }
}
