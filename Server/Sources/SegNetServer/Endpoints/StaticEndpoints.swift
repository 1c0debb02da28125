internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import NIOCore

/// The page, its assets, sample pictures and the OpenAPI file: all in memory, with tags, so that a browser asks again
/// but does not receive what it already has.
struct StaticEndpoints: Sendable {
    let service: ServiceState

    func register(on router: Router<ServiceContext>) {
        router.get("/") { request, _ in try file(service.files.page["index.html"], request) }
        router.get("/assets/**") { request, context in
            try file(service.files.page["assets/" + context.parameters.getCatchAll().joined(separator: "/")], request)
        }
        router.get("/samples/{name}") { request, context in
            // Names that come escaped are unescaped once, as the list of samples escapes them.
            let bytes = context.parameters.get("name").flatMap { PercentEncoding.decode($0[...]) }
            return try file(bytes.flatMap { service.samples.file(String(decoding: $0, as: UTF8.self)) }, request)
        }
        router.get("/openapi.json") { request, _ in try file(service.files.openAPI, request) }
    }

    private func file(_ file: ServerFiles.File?, _ request: Request) throws -> Response {
        guard let file else { throw Problem.notFound(request.uri.path) }
        let headers: HTTPFields = [.eTag: file.tag, .cacheControl: "no-cache"]
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
        if known.contains(file.tag) || known.contains("*") { return Response(status: .notModified, headers: headers) }
        var response = Response(
            status: .ok,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes))
        )
        response.headers[.contentType] = file.contentType
        return response
    }
}
