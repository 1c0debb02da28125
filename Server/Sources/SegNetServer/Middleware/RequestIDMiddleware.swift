internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging

/// Gives every request an id, the client's own if it is valid, for logs and for the answer's `X-Request-ID`.
struct RequestIDMiddleware: RouterMiddleware {
    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.requestID = request.headers[.requestID].flatMap { Self.isSane($0) ? $0 : nil } ?? Self.newID()
        context.logger[metadataKey: "request.id"] = .string(context.requestID)
        context.logger[metadataKey: "hb.request.id"] = nil
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        return response
    }

    /// 128 random bits.
    static func newID() -> String {
        let digits = Array("0123456789abcdef".utf8)
        var random = SystemRandomNumberGenerator()
        let bits: [UInt64] = [random.next(), random.next()]
        return String(unsafeUninitializedCapacity: 32) { letters in
            for index in 0..<32 { letters[index] = digits[Int(bits[index / 16] >> UInt64(index % 16 * 4) & 15)] }
            return 32
        }
    }

    /// Letters, digits and `-._:+/=`, at most 128 of them: nothing that could disturb a log.
    static func isSane(_ id: String) -> Bool {
        let others = Array("-._:+/=".utf8)
        return (1...128).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"):
                    true
                default: others.contains(byte)
                }
            }
    }
}
