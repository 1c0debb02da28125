internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Watches one connection: clients that send or receive too slowly, truncated requests, answers that come before their
/// request has ended. It stands between HTTP's codec and the server.
///
/// - A request whose body takes longer than `receiveTime` ends with `SlowRequest` where the body is read, one that the client leaves
///   half sent with `TruncatedRequest`.
/// - An answer before the request's end has `Connection: close`: what the client still sends is discarded for
///   `lingerTime`, so that it can read the answer, then the connection is closed. Receiving a body that nobody wants
///   would let a client send for ever.
/// - An answer that is not taken within `sendTime` from its head closes the connection.
/// - A client that closes its side while it waits for an answer is asked whether it is still there.
/// - Input that is not HTTP is also answered with a problem document, as are heads that `HeadChecks` refuses.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The body took too long.
    struct SlowRequest: Error {}
    /// The client closed its side inside a request.
    struct TruncatedRequest: Error {}
    /// Sent down the pipeline: the client may send its body.
    struct Continue: Sendable {}

    private static let lingerTime = TimeAmount.seconds(2)

    private let receiveTime: TimeAmount
    private let sendTime: TimeAmount

    // Requests in the order of the connection: heads received, ends received, answers begun, answers ended.
    private var heads = 0
    private var ends = 0
    private var begun = 0
    private var answered = 0
    /// The connection closes after this answer.
    private var lastAnswer: Int?
    private var isLingering = false

    /// The answer to input that is not a request, or is a request that must be refused.
    private var refusal = Problem(.badRequest, "This is not an HTTP/1.1 request that the service can read.")
    private let line: RequestLine
    private let checks: HeadChecks
    /// Told of each answer to input that is not a request: nothing above sees these.
    private let refused: @Sendable (_ requestID: String, HTTPResponse.Status) -> Void

    private var receiveTimer: Scheduled<Void>?
    private var sendTimer: Scheduled<Void>?

    init(_ limits: Limits, refused: @escaping @Sendable (_ requestID: String, HTTPResponse.Status) -> Void) {
        self.refused = refused
        line = RequestLine(longest: Self.longestField)
        checks = HeadChecks(line)
        receiveTime = limits.receiveTime.timeAmount
        sendTime = limits.sendTime.timeAmount
    }

    /// Puts one helper before the codec that turns NIO's heads into Swift's HTTP types, and one before the parser.
    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        guard let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) else { return }
        try? pipeline.addHandler(checks, position: .before(codec))
        try? pipeline.addHandler(line, position: .first)
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancelTimers() }

    func channelInactive(context: ChannelHandlerContext) {
        cancelTimers()
        context.fireChannelInactive()
    }

    private func cancelTimers() {
        receiveTimer?.cancel()
        sendTimer?.cancel()
        receiveTimer = nil
        sendTimer = nil
    }

    // MARK: From the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isLingering else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            heads += 1
            if lastAnswer == nil, head.headerFields.closes { lastAnswer = heads }
            startReceiveTimer(context)
        case .body: break
        case .end:
            ends += 1
            receiveTimer?.cancel()
            receiveTimer = nil
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Nobody above asks for more any longer.
        if isLingering { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            if isLingering {
                context.close(promise: nil)
                return
            }
            if ends < heads {
                context.fireErrorCaught(TruncatedRequest())
            } else if begun < heads {
                probe(context)
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.headerOverflow: refusal = line.isTooLong ? Self.longLine : Self.longFields
        case let error as HeadChecks.Refusal: refusal = error.problem
        default: break
        }
        switch error {
        case is HTTPParserError, is IOError, is ChannelError: context.fireErrorCaught(error)
        // A head that the parser let through and Swift's HTTP types do not: for the server it is not HTTP either.
        default: context.fireErrorCaught(HTTPParserError.unknown)
        }
    }

    /// The most bytes of an address or a field that the parser accepts.
    static let longestField = 16 << 10
    private static let longLine = Problem(.uriTooLong, RequestRulesMiddleware.longTarget("more than 16 KiB"))
    private static let longFields = Problem(
        .requestHeaderFieldsTooLarge,
        "The request's head is too long: a field may have 16 KiB, and all together 64 KiB in at most 100 fields. Send less."
    )

    /// The client has closed its side while its answer is being made. It may still listen, or be gone: on a connection that is gone the
    /// system answers these words with a reset, and the work can end. A client that listens ignores them (RFC 9110, 15.2).
    private func probe(_ context: ChannelHandlerContext) {
        guard !checks.isOldVersion else { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: Self.processing))), promise: nil)
    }

    private static let processing = HTTPResponse.Status(code: 102, reasonPhrase: "Processing")

    private func startReceiveTimer(_ context: ChannelHandlerContext) {
        receiveTimer?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        receiveTimer = context.eventLoop.scheduleTask(in: receiveTime) {
            let (guardian, context) = bound.value
            // If its answer has begun, the connection is closing anyway.
            if guardian.begun < guardian.heads { context.fireErrorCaught(SlowRequest()) }
        }
    }

    // MARK: To the client

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Continue else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        if begun < heads, ends < heads {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        promise?.succeed(())
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status.kind != .informational else { break }
            guard begun < heads else {
                writeMalformed(context, promise)
                return
            }
            begun += 1
            // Answered before it has ended.
            if ends < begun { lastAnswer = begun }
            if head.headerFields.closes { lastAnswer = begun }
            if lastAnswer == begun { head.headerFields[.connection] = "close" }
            // Long answers go out in pieces: the end may never be reached.
            startSendTimer(context)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
            return
        case .body: break
        case .end:
            answered += 1
            let isLast = answered == lastAnswer || answered > heads
            let done = promise ?? context.eventLoop.makePromise(of: Void.self)
            watchSending(context, done.futureResult, isLast: isLast)
            context.writeAndFlush(data, promise: done)
            return
        }
        context.write(data, promise: promise)
    }

    /// The server answers input that is not a request with an empty 400: this one explains it.
    private func writeMalformed(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let id = RequestIDMiddleware.newID()
        let problem = refusal
        refused(id, problem.status)
        let bytes = JSON.bytes(problem.document(requestID: id))
        let head = HTTPResponse(
            status: problem.status,
            headerFields: [
                .contentType: "application/problem+json", .contentLength: "\(bytes.count)", .connection: "close",
                .requestID: id,
            ]
        )
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: bytes))), promise: promise)
    }

    /// Closes the connection if the answer is not taken in time, or when it was the last.
    private func watchSending(_ context: ChannelHandlerContext, _ sent: EventLoopFuture<Void>, isLast: Bool) {
        startSendTimer(context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        sent.whenComplete { _ in
            let (guardian, context) = bound.value
            guardian.sendTimer?.cancel()
            guardian.sendTimer = nil
            if guardian.begun > guardian.answered { guardian.startSendTimer(context) }
            if isLast { guardian.linger(context) }
        }
    }

    private func startSendTimer(_ context: ChannelHandlerContext) {
        guard sendTimer == nil else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        sendTimer = context.eventLoop.scheduleTask(in: sendTime) { bound.value.close(promise: nil) }
    }

    /// Says that nothing more will come, and waits a little for the client to close: closing at once while it still sends would reset
    /// the connection under the answer that it has not read yet.
    private func linger(_ context: ChannelHandlerContext) {
        guard !isLingering else { return }
        isLingering = true
        receiveTimer?.cancel()
        guard context.channel.isActive else { return }
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        receiveTimer = context.eventLoop.scheduleTask(in: Self.lingerTime) { bound.value.close(promise: nil) }
        context.read()
    }
}

extension HTTPFields {
    /// Whether `Connection` lists `close`.
    fileprivate var closes: Bool {
        self[.connection]?.split(separator: ",").contains { $0.lowercased().filter { $0 != " " } == "close" } ?? false
    }
}
