internal import CoreMetrics
internal import HTTPTypes
internal import SegNetToolkit
internal import Synchronization

/// The service's metrics, under the names of `/metrics`.
final class ServiceMetrics: Sendable {
    let registry: PrometheusRegistry
    private let inFlight: Meter
    private let received: Counter
    private let sent: Counter
    private let pixels: Counter

    static let help = [
        "segnet_http_requests_total": "Requests answered, by route, method and status.",
        "segnet_http_request_seconds": "From a request's head to its answer, by route.",
        "segnet_http_requests_in_flight": "Requests being received or answered now.",
        "segnet_stage_seconds":
            "How long pictures took: queue (waiting), decode, network, encode; receive is the body's way here.",
        "segnet_queue_depth": "Requests that wait for a worker now.",
        "segnet_queue_limit": "Requests that may wait.",
        "segnet_working": "Requests that workers are busy with now.",
        "segnet_workers": "Worker threads.",
        "segnet_rejected_total": "Requests refused for want of room or time, by reason.",
        "segnet_received_bytes_total": "Bytes of request bodies.",
        "segnet_sent_bytes_total": "Bytes of response bodies.",
        "segnet_held_body_bytes": "Bytes of request bodies in memory now.",
        "segnet_held_answer_bytes": "Bytes of answers that clients have not taken yet.",
        "segnet_pixels_total": "Pixels of the pictures that were segmented.",
        "segnet_ready": "1 while the service takes work, 0 once it is shutting down.",
        "process_resident_memory_bytes": "Memory of the process.",
        "process_cpu_seconds_total": "Processor time of the process.",
        "process_start_time_seconds": "When the process began, in seconds since 1970.",
    ]

    init() {
        registry = PrometheusRegistry(help: Self.help)
        inFlight = Meter(label: "segnet_http_requests_in_flight", factory: registry)
        received = Counter(label: "segnet_received_bytes_total", factory: registry)
        sent = Counter(label: "segnet_sent_bytes_total", factory: registry)
        pixels = Counter(label: "segnet_pixels_total", factory: registry)
        inFlight.set(0)
    }

    func requestBegan() { inFlight.increment() }
    func requestEnded() { inFlight.decrement() }

    func answered(route: String, method: HTTPRequest.Method, status: Int, duration: Duration) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .options]
        let name = known.contains(method) ? method.rawValue : "other"
        Counter(
            label: "segnet_http_requests_total",
            dimensions: [("method", name), ("route", route), ("status", "\(status)")],
            factory: registry
        ).increment()
        record("segnet_http_request_seconds", ("route", route), duration)
    }

    /// Input that is not a request was refused.
    func refusedInput(status: Int) {
        Counter(
            label: "segnet_http_requests_total",
            dimensions: [("method", "other"), ("route", "other"), ("status", "\(status)")],
            factory: registry
        ).increment()
    }

    func received(bytes: Int, in duration: Duration) {
        received.increment(by: bytes)
        record("segnet_stage_seconds", ("stage", "receive"), duration)
    }

    func sent(bytes: Int) { sent.increment(by: bytes) }

    func segmented(_ times: StageTimes, pixels: Int) {
        self.pixels.increment(by: pixels)
        for (stage, duration) in times.stages { record("segnet_stage_seconds", ("stage", stage), duration) }
    }

    /// Why a request was rejected or timed out.
    enum Rejection: String, CaseIterable {
        case queueFull = "queue_full"
        case deadline
        case stopping
        case noMemory = "no_memory"
        case answersHeld = "answers_held"
        case clientGone = "client_gone"
    }

    func rejected(_ reason: Rejection) {
        Counter(label: "segnet_rejected_total", dimensions: [("reason", reason.rawValue)], factory: registry)
            .increment()
    }

    private func record(_ label: String, _ dimension: (String, String), _ duration: Duration) {
        CoreMetrics.Timer(label: label, dimensions: [dimension], factory: registry)
            .recordNanoseconds(Int64(duration / .nanoseconds(1)))
    }

    /// Sets a gauge, or a counter that the system keeps, just before the text is written.
    func set(_ label: String, _ value: Double, isCounter: Bool = false) {
        registry.series(isCounter ? .counter : .gauge, label, []).set(value)
    }
}
