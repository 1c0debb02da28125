internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTP1

/// Receives a request's body within the limits. What is too much is refused as soon as it is known, before more is kept.
struct BodyReader: Sendable {
    let limits: Limits
    let budget: ByteBudget
    let memory: WorkMemory

    /// A whole body. Its bytes count against the budget as long as it is referred to.
    struct Body: Sendable {
        var bytes: [UInt8]
        let lease: ByteBudget.Lease
    }

    /// - Throws: `Problem`: 400 damaged or truncated, 408 too slow, 411 without length, 413 too long, 503 no room.
    func read(_ request: Request, _ context: ServiceContext) async throws -> Body {
        let length = try declaredLength(request)
        let lease = budget.lease()
        if request.headers[.expect]?.lowercased() == "100-continue" {
            context.channel.triggerUserOutboundEvent(ConnectionGuard.Continue(), promise: nil)
        }
        var bytes: [UInt8] = []
        // Not everything that is declared: a thousand clients may declare bytes that none of them sends.
        bytes.reserveCapacity(min(length ?? 0, Self.firstBytes))
        do {
            for try await part in request.body {
                guard bytes.count + part.readableBytes <= limits.bytes else { throw tooLong(nil) }
                guard lease.take(part.readableBytes) else {
                    throw Problem.unavailable(
                        "The service is receiving as much as it can hold. Try again in a moment.",
                        retryAfter: 1
                    )
                }
                if bytes.count + part.readableBytes > max(bytes.capacity, Self.firstBytes) {
                    try grow(&bytes, by: part.readableBytes, length)
                }
                bytes.append(contentsOf: part.readableBytesView)
            }
        } catch is ConnectionGuard.SlowRequest {
            throw Problem(
                .requestTimeout,
                "The request's body did not arrive within \(limits.receiveTime.words). Send it faster, or a smaller picture."
            )
        } catch is ConnectionGuard.TruncatedRequest {
            throw truncated(bytes.count, length)
        } catch let error as HTTPParserError {
            if case .invalidEOFState = error { throw truncated(bytes.count, length) }
            throw Problem(.badRequest, "The request's body is not valid HTTP (\(error)).")
        }
        if let length, bytes.count < length { throw truncated(bytes.count, length) }
        return Body(bytes: bytes, lease: lease)
    }

    private static let firstBytes = 1 << 20

    /// Makes room for a part and for what is likely to follow: twice as much as before, but no more than was declared.
    /// - Throws: `Problem` 503 if there is not enough memory.
    private func grow(_ bytes: inout [UInt8], by count: Int, _ length: Int?) throws(Problem) {
        let capacity = max(bytes.count + count, min(2 * bytes.capacity, length ?? .max))
        let reservation = try memory.reserve(forBody: capacity)
        bytes.reserveCapacity(capacity)
        withExtendedLifetime(reservation) {}
    }

    /// The length that the head states; nil for a chunked body.
    private func declaredLength(_ request: Request) throws(Problem) -> Int? {
        if let text = request.headers[.contentLength] {
            // The parser has let only digits through; too many of them are too much.
            guard let length = Int(text), length <= limits.bytes else { throw tooLong(text) }
            return length
        }
        guard request.headers[.transferEncoding] != nil else {
            throw Problem(
                .lengthRequired,
                "The request has no body. Send the picture with its Content-Length, or chunked."
            )
        }
        return nil
    }

    private func tooLong(_ length: String?) -> Problem {
        let found = length.map { "has \($0.shortened) bytes" } ?? "has more bytes than allowed"
        return Problem(
            .contentTooLarge,
            "The request's body \(found); the limit is \(limits.bytes). Send a smaller picture."
        )
    }

    private func truncated(_ found: Int, _ length: Int?) -> Problem {
        let whole = length.map { " of \($0)" } ?? ""
        return Problem(.badRequest, "The request's body ends after \(found)\(whole) bytes. Send it whole.")
    }
}

extension Duration {
    /// "30 s", "1.5 s"
    var words: String {
        let milliseconds = Int((self / .milliseconds(1)).rounded())
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(Double(milliseconds) / 1000) s"
    }

    /// For NIO's timers.
    var timeAmount: TimeAmount { .nanoseconds(Int64((self / .nanoseconds(1)).rounded())) }

    var milliseconds: Double { self / .milliseconds(1) }
}
