internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Synchronization

/// Which methods each path answers to: for 405, and for the tests of the OpenAPI file.
final class RouteTable: Sendable {
    private let routes = Mutex<[(path: RouterPath, method: HTTPRequest.Method)]>([])

    /// Takes over a router's routes.
    func fill(from router: Router<ServiceContext>) {
        let found = router.routes.map { ($0.path, $0.method) }
        routes.withLock { $0 = found }
    }

    /// All routes, as "GET /v1/models".
    var descriptions: [String] {
        routes.withLock { $0.map { "\($0.method.rawValue) \($0.path)" } }.sorted()
    }

    /// The methods of the routes that match a path, `HEAD` next to `GET`; empty if there is nothing at that path.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        var methods = routes.withLock { routes in
            routes.filter { Self.matches($0.path, parts) }.map(\.method)
        }
        if methods.contains(.get), !methods.contains(.head) { methods.append(.head) }
        return methods
    }

    private static func matches(_ path: RouterPath, _ parts: [Substring]) -> Bool {
        for (index, element) in path.components.enumerated() {
            if element == .recursiveWildcard { return parts.count > index }
            guard index < parts.count, element ~= parts[index] else { return false }
        }
        return parts.count == path.components.count
    }
}
