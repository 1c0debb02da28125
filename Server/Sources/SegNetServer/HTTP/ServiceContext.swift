internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// Properties of a request beyond the request itself.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// Set by `RequestIDMiddleware`.
    var requestID = ""

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

extension HTTPField.Name {
    /// A name that is known to be well formed.
    private static func known(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .via }

    static let requestID = known("X-Request-ID")
    static let serverTiming = known("Server-Timing")
    static let referrerPolicy = known("Referrer-Policy")
    static let permissionsPolicy = known("Permissions-Policy")
    static let crossOriginOpenerPolicy = known("Cross-Origin-Opener-Policy")
}
