import SegNetToolkit
import Synchronization
import Testing

@testable import SegNetServer

@Suite("Clients that would tie the service up", .timeLimit(.minutes(5)))
struct TyingUpTests {
    @Test("answers that nobody reads have a bound, and room comes back when they are taken")
    func unreadAnswers() async throws {
        try await LiveServer.run({ $0.limits.heldAnswerBytes = 20 << 20 }) { server in
            // 5 classes of 1024x768 floats: 15.7 MB each. A system takes a few of them into its own buffers.
            let request = LiveServer.bytes(
                "POST",
                "/v1/segment?model=plain&output=probabilities&size=1024x768",
                body: try TestModels.png()
            )
            let deaf = try server.connect()
            try await deaf.send(request)
            try await eventually("the answer is held") {
                try await server.request("GET", "/metrics").text.contains("segnet_held_answer_bytes 157")
            }
            let refused = try await server.request(
                "POST",
                "/v1/segment?model=plain&output=probabilities&size=1024x768",
                body: try TestModels.png()
            )
            #expect(refused.status == 503)
            #expect(
                refused.detail
                    == "The service has no room for another answer until clients take those that are ready. Try again in a moment."
            )
            // Small answers still have room.
            #expect(try await server.segment(try TestModels.png()).status == 200)
            let taken = try await deaf.receive()
            #expect(taken.status == 200)
            #expect(taken.body.count > 15_000_000)
            try await eventually("room again") {
                try await server.request("GET", "/metrics").text.contains("segnet_held_answer_bytes 0\n")
            }
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_rejected_total{reason=\"answers_held\"} 1\n"))
        }
    }

    @Test("an answer that is not taken in time is given up, also in the middle")
    func unreadForEver() async throws {
        try await LiveServer.run({ $0.limits.sendTime = .milliseconds(500) }) { server in
            let deaf = try server.connect()
            try await deaf.send(
                LiveServer.bytes(
                    "POST",
                    "/v1/segment?model=plain&output=probabilities&size=1024x768",
                    body: try TestModels.png()
                )
            )
            try await eventually("the answer is given up") {
                let metrics = try await server.request("GET", "/metrics").text
                return metrics.contains("segnet_held_answer_bytes 0\n") && metrics.contains("segnet_working 0\n")
                    && metrics.contains("segnet_pixels_total 1200")
            }
        }
    }

    @Test("work of clients that have gone ends, running and waiting", arguments: [false, true])
    func gone(byReset: Bool) async throws {
        try await LiveServer.run({
            $0.workers = 1
            $0.limits.queue = 8
            $0.limits.runPixels = 2_100_000
            // None is refused because it would wait too long.
            $0.limits.deadline = .seconds(100_000)
        }) { server in
            // Alone, each would take minutes on a slow machine.
            let expensive = LiveServer.bytes(
                "POST",
                "/v1/segment?model=bayesian&samples=100&size=1440x1440",
                body: try TestModels.png()
            )
            do {
                var connections: [RawConnection] = []
                for _ in 0..<8 {
                    let connection = try server.connect()
                    try await connection.send(expensive)
                    connections.append(connection)
                }
                try await eventually("one works, others wait") {
                    let metrics = try await server.request("GET", "/metrics").text
                    return metrics.contains("segnet_working 1\n") && metrics.contains("segnet_queue_depth 7\n")
                }
                if byReset { for connection in connections { connection.reset() } }
            }
            // Their connections are closed now.
            #expect(try await server.segment(try TestModels.png()).status == 200)
            try await eventually("nothing is left") {
                let metrics = try await server.request("GET", "/metrics").text
                return metrics.contains("segnet_working 0\n") && metrics.contains("segnet_queue_depth 0\n")
                    && metrics.contains("segnet_held_body_bytes 0\n")
            }
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_rejected_total{reason=\"client_gone\"} 8\n"))
            // None but the small one came to its end.
            #expect(metrics.contains("segnet_stage_seconds_count{stage=\"network\"} 1\n"))
        }
    }

    @Test("a small request overtakes large ones, and is not refused for their sake")
    func small() async throws {
        let gate = Gate()
        try await LiveServer.run({
            $0.workers = 1
            $0.limits.queue = 3
            $0.beforeWork = { gate.wait() }
        }) { server in
            let png = try TestModels.png()
            try await withThrowingTaskGroup(of: (isSmall: Bool, status: Int).self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        (false, try await server.segment(png, "model=bayesian&samples=40&size=256x256").status)
                    }
                }
                try await eventually("three wait") {
                    try await server.request("GET", "/metrics").text.contains("segnet_queue_depth 3\n")
                }
                group.addTask { (true, try await server.segment(png).status) }
                // The last of the large ones has given way.
                var answers: [(isSmall: Bool, status: Int)] = []
                if let first = try await group.next() { answers.append(first) }
                #expect(answers.first?.status == 503)
                #expect(answers.first?.isSmall == false)
                gate.release()
                for try await answer in group { answers.append(answer) }
                #expect(answers.filter(\.isSmall).map(\.status) == [200])
                #expect(answers.filter { !$0.isSmall && $0.status == 200 }.count == 3)
                #expect(answers.firstIndex { $0.isSmall } ?? 9 <= 2, "behind the one that was in work already")
            }
        }
    }

    @Test("expensive work leaves a worker to cheap work, and a run of the model's own size waits for no large run")
    func keptWorker() async throws {
        try await LiveServer.run({
            $0.workers = 2
            $0.limits.runPixels = 2_100_000
            $0.limits.deadline = .seconds(100_000)
        }) { server in
            let png = try TestModels.png()
            // Alone, each would take minutes on a slow machine.
            let expensive = LiveServer.bytes("POST", "/v1/segment?model=bayesian&samples=100&size=1440x1440", body: png)
            var connections: [RawConnection] = []
            for _ in 0..<3 {
                let connection = try server.connect()
                try await connection.send(expensive)
                connections.append(connection)
            }
            try await eventually("one works, two wait") {
                let metrics = try await server.request("GET", "/metrics").text
                return metrics.contains("segnet_working 1\n") && metrics.contains("segnet_queue_depth 2\n")
            }
            for _ in 0..<5 {
                // The same model: its large run has the only workspace.
                let reply = try await server.segment(png, "model=bayesian")
                #expect(reply.status == 200)
            }
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_working 1\n") && metrics.contains("segnet_queue_depth 2\n"))
            connections.removeAll()
            try await eventually("nothing is left") {
                let metrics = try await server.request("GET", "/metrics").text
                return metrics.contains("segnet_working 0\n") && metrics.contains("segnet_queue_depth 0\n")
            }
        }
    }

    @Test("a picture for which there is no memory is refused before it is decoded")
    func memory() async throws {
        let available = Available()
        try await LiveServer.run({ $0.availableMemory = { available.bytes } }) { server in
            let png = try TestModels.png(width: 1000, height: 1000)
            #expect(try await server.segment(png).status == 200)
            available.set(60 << 20)
            let reply = try await server.segment(png)
            #expect(reply.status == 503)
            #expect(
                reply.detail
                    == "The service does not have the 15 MiB left that this picture needs. Try again in a moment, or send a smaller picture."
            )
            let small = try await server.segment(try TestModels.png())
            #expect(small.status == 200)
            let metrics = try await server.request("GET", "/metrics").text
            #expect(metrics.contains("segnet_rejected_total{reason=\"no_memory\"} 1\n"))
        }
    }

    private final class Available: Sendable {
        private let value = Mutex<Int?>(nil)
        var bytes: Int? { value.withLock { $0 } }
        func set(_ bytes: Int) { value.withLock { $0 = bytes } }
    }
}
