/// How long each stage of a picture took.
struct StageTimes: Sendable, Hashable {
    /// Waiting: for a worker, and for the network while others are in it.
    var queue: Duration = .zero
    /// From the file's bytes to pixels.
    var decode: Duration = .zero
    /// Resizing, the network, reading its result.
    var network: Duration = .zero
    /// From the result to the answer's bytes.
    var encode: Duration = .zero

    var stages: [(name: String, duration: Duration)] {
        [("queue", queue), ("decode", decode), ("network", network), ("encode", encode)]
    }

    static func += (left: inout StageTimes, right: StageTimes) {
        left.queue += right.queue
        left.decode += right.decode
        left.network += right.network
        left.encode += right.encode
    }

    /// The value of a `Server-Timing` header: milliseconds.
    var header: String {
        stages.map { "\($0.name);dur=\(($0.duration.milliseconds * 1000).rounded() / 1000)" }.joined(separator: ", ")
    }
}
