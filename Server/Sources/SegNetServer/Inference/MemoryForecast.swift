internal import SegNetToolkit

/// The memory that a service needs with its configuration, for the person who starts it.
public struct MemoryForecast: Sendable, Hashable {
    /// Bytes that the process holds now, with its models loaded; 0 if the system does not say.
    public let now: Int
    /// Bytes if everything is at its limits at once: bodies, answers that nobody takes, and every worker with the largest picture at the
    /// largest size that is allowed.
    public let most: Int
    /// Bytes that it could take in addition to `now`; nil if the system does not say.
    public let available: Int?

    init(_ configuration: ServiceConfiguration, _ catalog: ModelCatalog) {
        let limits = configuration.limits
        let workers = configuration.workerCount
        // If there are several workers, one never does expensive work.
        let pictures =
            max(1, workers - 1) * limits.pixels * (MemoryNeed.bytesPerPixel + MemoryNeed.jsonBytesPerPixel)
        let side = max(1, Int(Double(limits.runPixels).squareRoot()))
        // The models that need the most memory run, each as often as the cores allow.
        let runs = catalog.models.map { (try? MemoryNeed.run($0, width: side, height: side)) ?? 0 }
            .flatMap { Array(repeating: $0, count: configuration.concurrentRuns) }
            .sorted(by: >).prefix(max(1, workers - 1)).reduce(0, +)
        now = ProcessUsage.residentBytes ?? 0
        most = now + pictures + runs + limits.heldBytes + limits.heldAnswerBytes + WorkMemory.spare
        available = configuration.availableMemory()
    }

    /// The line that is printed at the start: "168 MiB now, at most 2610 MiB with everything at its limits".
    public var summary: String {
        "\(now >> 20) MiB now, at most \(most >> 20) MiB with everything at its limits"
    }

    /// What to do if there is not that much; nil if there is enough.
    public var warning: String? {
        guard let available, most - now > available else { return nil }
        return
            "only about \((now + available) >> 20) MiB are available: requests that do not fit are refused with 503. Lower --workers, --max-pixels, "
            + "--max-run-pixels or --max-bytes, or give the server more memory (docs/server.md, Memory)."
    }
}
