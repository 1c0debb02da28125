import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// An answer that counts against the service's budget until its client has taken it, and goes out in pieces: the next one when the
/// client has taken those before.
struct HeldAnswer: Sendable {
    private let bytes: [UInt8]
    private let leases: [ByteBudget.Lease]

    private static let pieceBytes = 64 << 10

    /// - Parameter leases: With as many bytes taken.
    init(_ bytes: [UInt8], leases: [ByteBudget.Lease]) {
        self.bytes = bytes
        self.leases = leases
    }

    var body: ResponseBody {
        ResponseBody(contentLength: bytes.count) { [bytes, leases] writer in
            defer { withExtendedLifetime(leases) {} }
            for start in stride(from: 0, to: bytes.count, by: Self.pieceBytes) {
                try await writer.write(ByteBuffer(bytes: bytes[start..<min(start + Self.pieceBytes, bytes.count)]))
            }
            try await writer.finish(nil)
        }
    }
}

extension ServiceState {
    /// Room for an answer.
    /// - Throws: `Problem` 503 if clients leave too many answers untaken.
    func roomForAnswer(bytes: Int) throws(Problem) -> ByteBudget.Lease {
        let lease = answers.lease()
        try takeRoom(in: lease, bytes: bytes)
        return lease
    }

    /// Takes more room for an answer.
    /// - Throws: As `roomForAnswer` does.
    func takeRoom(in lease: ByteBudget.Lease, bytes: Int) throws(Problem) {
        guard lease.take(bytes) else {
            metrics.rejected(.answersHeld)
            throw Problem.unavailable(
                "The service has no room for another answer until clients take those that are ready. Try again in a moment.",
                retryAfter: 1
            )
        }
    }

    /// Who asks for this work, and its price.
    func order(_ work: SegmentationWork, _ context: ServiceContext) -> InferencePool.Order {
        let channel = context.channel
        return InferencePool.Order(
            client: channel.remoteAddress?.ipAddress ?? "",
            price: work.price,
            isGone: { !channel.isActive },
            canPause: work.isLongRun
        )
    }
}
