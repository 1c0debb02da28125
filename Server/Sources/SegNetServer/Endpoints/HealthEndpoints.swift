internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// For monitoring: whether the service is alive, whether it accepts work, and its metrics.
struct HealthEndpoints: Sendable {
    let service: ServiceState
    private let started = ProcessUsage.now

    init(service: ServiceState) { self.service = service }

    func register(on router: Router<ServiceContext>) {
        router.get("/healthz") { _, _ in Response(text: "ok\n") }
        router.get("/readyz") { _, _ in
            guard service.isReady else {
                throw Problem.unavailable("The service is shutting down.", retryAfter: 1)
            }
            return Response(text: "ready\n")
        }
        router.get("/metrics") { _, _ in
            var response = Response(text: text())
            response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
            return response
        }
    }

    private func text() -> String {
        let metrics = service.metrics
        let load = service.pool.load
        metrics.set("segnet_queue_depth", Double(load.waiting))
        metrics.set("segnet_queue_limit", Double(service.pool.limit))
        metrics.set("segnet_working", Double(load.running))
        metrics.set("segnet_workers", Double(service.pool.workers))
        metrics.set("segnet_held_body_bytes", Double(service.budget.bytes))
        metrics.set("segnet_held_answer_bytes", Double(service.answers.bytes))
        metrics.set("segnet_ready", service.isReady ? 1 : 0)
        if let bytes = ProcessUsage.residentBytes { metrics.set("process_resident_memory_bytes", Double(bytes)) }
        metrics.set("process_cpu_seconds_total", ProcessUsage.processorSeconds, isCounter: true)
        metrics.set("process_start_time_seconds", started)
        return metrics.registry.text()
    }
}

extension Response {
    /// 200 with plain text that must not be kept.
    init(text: String) {
        self.init(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
