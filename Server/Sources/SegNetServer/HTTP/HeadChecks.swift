internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1

/// Checks requests' heads as the parser gives them, since Swift's HTTP types, which come next, have no version and only one `Host`.
///
/// - HTTP/1.0 has no connections that stay open: its requests are given `Connection: close`, and their `Expect` is dropped
///   (RFC 9110, 10.1.1).
/// - A head of HTTP/1.1 without `Host`, and any head with two or with an invalid one, ends the connection (RFC 9112, 3.2), since a proxy
///   may have read a different host in it.
final class HeadChecks: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    /// Why the connection ends.
    struct Refusal: Error {
        let problem: Problem
    }

    /// Whether the last head was of HTTP/1.0, which has no informational answers.
    private(set) var isOldVersion = false
    private var isRefused = false
    private let line: RequestLine

    init(_ line: RequestLine) { self.line = line }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            if let problem = Self.problem(with: head) {
                isRefused = true
                context.fireErrorCaught(Refusal(problem: problem))
                return
            }
            isOldVersion = head.version != .http1_1
            if isOldVersion {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                head.headers.remove(name: "Expect")
            }
            context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: context.fireChannelRead(data)
        case .end:
            line.begin()
            context.fireChannelRead(data)
        }
    }

    private static func problem(with head: HTTPRequestHead) -> Problem? {
        let hosts = head.headers["Host"]
        if hosts.isEmpty, head.version == .http1_1 {
            return Problem(.badRequest, "The request has no Host. Send 'Host' with the name of the server.")
        }
        if hosts.count > 1 {
            return Problem(.badRequest, "The request has \(hosts.count) Hosts. Send 'Host' once.")
        }
        if let host = hosts.first, !isHost(host) {
            return Problem(
                .badRequest,
                "'\(host.shortened)' is not a valid Host. Send 'Host' with the name of the server."
            )
        }
        return nil
    }

    /// Whether all characters are allowed in a host and a port. An empty text is allowed too (RFC 9110, 7.2; RFC 3986, 3.2.2).
    private static func isHost(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._~%!$&'()*+;=:[]".utf8.contains(byte)
            }
        }
    }
}

/// Measures a request's first line. If a head is too long, the parser does not say whether its address (414) or its fields (431) are.
///
/// Bytes that follow a request in the same piece are not measured. This can only lead to the other of the two statuses.
final class RequestLine: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let longest: Int
    private var bytes = 0
    private var hasEnded = false

    /// - Parameter longest: The most bytes that the parser accepts.
    init(longest: Int) { self.longest = longest }

    var isTooLong: Bool { bytes > longest }

    /// Call this when a request has ended, so that another line may come.
    func begin() {
        bytes = 0
        hasEnded = false
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !hasEnded {
            let view = unwrapInboundIn(data).readableBytesView
            let end = view.firstIndex(of: UInt8(ascii: "\n"))
            bytes += view.distance(from: view.startIndex, to: end ?? view.endIndex)
            hasEnded = end != nil
        }
        context.fireChannelRead(data)
    }
}
