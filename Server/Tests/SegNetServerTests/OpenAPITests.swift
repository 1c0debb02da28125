import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

/// The OpenAPI file says what the service does, no more and no less.
@Suite("OpenAPI", .timeLimit(.minutes(5)))
struct OpenAPITests {
    /// An operation and a status, as the file has them: "POST /v1/segment 503".
    typealias Outcome = String

    private static func description() throws -> [String: Any] {
        let file = TestFiles.repository.appending(path: "Server/Sources/SegNetServer/openapi.json")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    private static func operations() throws -> [(name: String, operation: [String: Any])] {
        let paths = try #require(try description()["paths"] as? [String: [String: Any]])
        return paths.flatMap { path, methods in
            methods.compactMap { method, operation in
                (operation as? [String: Any]).map { ("\(method.uppercased()) \(path)", $0) }
            }
        }
    }

    @Test("every route is in the file, and nothing else is")
    func routes() async throws {
        let documented = try Self.operations().map(\.name).sorted()
        let routes = try await LiveServer.run { server in
            // HEAD goes with every GET; the file says so once.
            server.application.routes.descriptions.filter { !$0.hasPrefix("HEAD ") }.map {
                $0.replacing("**", with: "{path}")
            }
        }
        #expect(documented == routes.sorted())
    }

    @Test("the served file is the one in the source tree, and every reference in it leads somewhere")
    func served() async throws {
        let reply = try await LiveServer.run { try await $0.request("GET", "/openapi.json") }
        let served = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? NSDictionary)
        let file = try Self.description()
        #expect(served == file as NSDictionary)
        var references: [String] = []
        func collect(_ value: Any) {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String { references.append(reference) }
                for value in object.values { collect(value) }
            } else if let array = value as? [Any] {
                for value in array { collect(value) }
            }
        }
        collect(file)
        #expect(references.count > 50)
        for reference in Set(references) {
            var place: Any? = file
            for step in reference.dropFirst(2).split(separator: "/") {
                place = (place as? [String: Any])?[String(step)]
            }
            #expect(place != nil, "\(reference)")
        }
    }

    @Test("parameters and outputs are those of the implementation")
    func parameters() throws {
        let segment = try #require(try Self.operations().first { $0.name == "POST /v1/segment" }?.operation)
        let components = try #require(try Self.description()["components"] as? [String: [String: Any]])
        let parameters = try #require(segment["parameters"] as? [[String: Any]]).compactMap {
            parameter -> [String: Any]? in
            guard let reference = parameter["$ref"] as? String else { return parameter }
            return components["parameters"]?[String(reference.split(separator: "/").last ?? "")] as? [String: Any]
        }
        #expect(parameters.compactMap { $0["name"] as? String } == SegmentParameters.names)
        func schema(_ name: String) throws -> [String: Any] {
            try #require(parameters.first { $0["name"] as? String == name }?["schema"] as? [String: Any])
        }
        #expect(try schema("output")["enum"] as? [String] == OutputKind.allCases.map(\.rawValue))
        #expect(try schema("format")["enum"] as? [String] == AnnotationFormat.served.map(\.rawValue))
        #expect(try schema("edges")["enum"] as? [String] == Segmenter.Edges.allCases.map(\.rawValue))
        let include = try #require(try schema("include")["items"] as? [String: Any])
        #expect(include["enum"] as? [String] == OutputKind.allCases.filter(\.isImage).map(\.rawValue))
    }

    @Test("forms have the parameters' names, and no others")
    func forms() throws {
        let components = try #require(try Self.description()["components"] as? [String: [String: Any]])
        for name in ["SegmentForm", "BatchForm"] {
            let form = try #require(components["schemas"]?[name] as? [String: Any])
            let properties = try #require(form["properties"] as? [String: [String: Any]])
            // A batch has no polygons.
            let left: Set = name == "BatchForm" ? ["format", "tolerance"] : []
            #expect(Set(properties.keys) == Set(SegmentParameters.names + ["image"]).subtracting(left))
            #expect(form["additionalProperties"] as? Bool == false)
            let outputs = name == "BatchForm" ? ["json"] : OutputKind.allCases.map(\.rawValue)
            #expect(properties["output"]?["enum"] as? [String] == outputs)
            if name == "BatchForm" { #expect(properties["image"]?["maxItems"] as? Int == Limits().batch) }
        }
    }

    /// Text parts that the file allows a form, and that it does not. In a form a number and its digits are the same bytes, so what
    /// counts is what is written.
    private static let texts: [(name: String, text: String, isAllowed: Bool)] = [
        ("seed", "2", true), ("seed", "-9223372036854775808", true), ("seed", "18446744073709551615", true),
        ("refine", "crf", true), ("refine", "none", true), ("refine", "", false), ("refine", "CRF", false),
        ("seed", "", false), ("seed", "2.0", false), ("seed", "+2", false), ("seed", "02", false),
        ("seed", "1e3", false),
        ("seed", "true", false), ("seed", "null", false), ("seed", "[2]", false), ("seed", "\"2\"", false),
        ("seed", " 2", false), ("seed", "\u{663}", false),
        ("samples", "1", true), ("samples", "", false), ("samples", "0", false), ("samples", "-1", false),
        ("samples", "101", false), ("samples", "01", false), ("samples", "1.5", false), ("samples", "false", false),
        ("edges", "nearest", true), ("edges", "smooth", true), ("edges", "round", false), ("edges", "", false),
        ("size", "model", true), ("size", "64x48", true), ("size", "", false), ("size", "0x1", false),
        ("size", "64X48", false), ("size", "64x+48", false), ("size", "064x48", false), ("size", "64x48x1", false),
        ("size", "123456x1", false), ("size", "64", false), ("size", "null", false),
        ("include", "mask", true), ("include", "mask,mask", true), ("include", "", false), ("include", "mask,", false),
        ("include", "json", false), ("include", "[\"mask\"]", false), ("include", "mask, color", false),
        // Without the output that they are about.
        ("classes", "sky", false), ("classes", "", false), ("format", "coco", false), ("format", "", false),
        ("format", "coco-panoptic", false), ("format", "GeoJSON", false), ("tolerance", "1", false),
        ("tolerance", "", false), ("output", "cutout", false), ("include", "cutout", false),
        ("output", "json", true), ("output", "", false), ("output", "JSON", false), ("output", "{}", false),
        ("model", "plain", true), ("model", "", false), ("model", "1", false), ("model", "null", false),
        ("", "", false), ("other", "1", false), ("Seed", "2", false), ("seed[]", "2", false),
    ]

    @Test(
        "with a good picture, a form is accepted if the file allows its texts, and not otherwise",
        arguments: ["", "/batch"]
    )
    func formTexts(path: String) async throws {
        try await LiveServer.run { server in
            for (name, text, isAllowed) in Self.texts {
                var form = TestForm()
                form.add("image", fileName: "a.png", try TestModels.png())
                form.add(name, Array(text.utf8))
                let headers = ["Content-Type": form.contentType]
                let reply = try await server.request("POST", "/v1/segment" + path, headers, body: form.bytes)
                let isRefused = reply.status == 400 || reply.status == 404
                #expect(isAllowed ? reply.status == 200 : isRefused, "\(name)=\(text): \(reply.status) \(reply.detail)")
                // The same in the query, where nothing is behind the name but its text.
                guard !name.isEmpty,
                    let escaped = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics),
                    let escapedName = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
                else { continue }
                var picture = TestForm()
                picture.add("image", fileName: "a.png", try TestModels.png())
                let query = try await server.request(
                    "POST",
                    "/v1/segment\(path)?\(escapedName)=\(escaped)",
                    ["Content-Type": picture.contentType],
                    body: picture.bytes
                )
                #expect(query.status == reply.status, "\(name)=\(text): \(query.status) \(query.detail)")
            }
        }
    }

    @Test("texts of a form have to be right, and the same as the query's", arguments: ["", "/batch"])
    func overruledTexts(path: String) async throws {
        let query = "model=plain&output=json&size=model&edges=nearest&samples=1&seed=1&refine=crf&include=mask"
        try await LiveServer.run { server in
            for (name, text, isAllowed) in Self.texts where name != "model" {
                var form = TestForm()
                form.add("image", fileName: "a.png", try TestModels.png())
                form.add(name, Array(text.utf8))
                let reply = try await server.request(
                    "POST",
                    "/v1/segment\(path)?\(query)",
                    ["Content-Type": form.contentType],
                    body: form.bytes
                )
                let isSame = query.split(separator: "&").contains("\(name)=\(text)"[...])
                #expect(reply.status == (isAllowed && isSame ? 200 : 400), "\(name)=\(text): \(reply.detail)")
            }
            // Before anything that a right form could be refused for.
            var form = TestForm()
            form.add("image", fileName: "a.png", try TestModels.png())
            form.add("samples", Array("none".utf8))
            let headers = ["Content-Type": form.contentType]
            let large = try await server.request(
                "POST",
                "/v1/segment\(path)?samples=1&size=90000x9000",
                headers,
                body: form.bytes
            )
            #expect(large.status == 400)
        }
    }

    @Test("what a picture is changed into is no picture, however often it comes", arguments: ["", "/batch"])
    func formPictures(path: String) async throws {
        try await LiveServer.run { server in
            for pictures in [[], ["false"], [""], ["null"], ["2"], ["[]", "{}"], ["", "x"]] {
                var form = TestForm()
                for picture in pictures { form.add("image", Array(picture.utf8)) }
                form.add("seed", Array("2".utf8))
                let headers = ["Content-Type": form.contentType]
                let reply = try await server.request("POST", "/v1/segment" + path, headers, body: form.bytes)
                #expect([400, 415, 422].contains(reply.status), "\(pictures): \(reply.status)")
            }
        }
    }

    /// One case for each operation and status of the file. Each starts a service of its own kind, and gives its answer.
    private static let cases: [Outcome: @Sendable () async throws -> Reply] = {
        var cases: [Outcome: @Sendable () async throws -> Reply] = [:]
        func plain(_ outcome: Outcome, _ headers: [String: String] = [:], path: String? = nil) {
            let parts = outcome.split(separator: " ").map(String.init)
            cases[outcome] = { try await LiveServer.run { try await $0.request(parts[0], path ?? parts[1], headers) } }
        }
        for path in ["/", "/v1/models", "/v1/samples", "/healthz", "/readyz", "/metrics", "/openapi.json"] {
            plain("GET \(path) 200")
        }
        plain("GET /samples/{name} 200", path: "/samples/street.jpg")
        plain("GET /samples/{name} 404", path: "/samples/none.jpg")
        plain("GET /assets/{path} 404", path: "/assets/none.js")
        for (outcome, path) in [
            ("GET / 304", "/"), ("GET /openapi.json 304", "/openapi.json"),
            ("GET /samples/{name} 304", "/samples/street.jpg"),
        ] { plain(outcome, ["If-None-Match": "*"], path: path) }
        for (outcome, headers) in [("GET /assets/{path} 200", [:]), ("GET /assets/{path} 304", ["If-None-Match": "*"])]
        {
            cases[outcome] = {
                let folder = try TestPage()
                return try await LiveServer.run({ $0.page = folder.url }) {
                    try await $0.request("GET", "/assets/js/a.js", headers)
                }
            }
        }
        cases["GET /readyz 503"] = {
            try await LiveServer.run({ $0.shutdownDelay = .seconds(5) }) { server in
                let connection = try server.connect()
                try await connection.send(LiveServer.bytes("GET", "/readyz"))
                _ = try await connection.receive()
                await server.beginShutdown()
                var reply = Reply(status: 0, headers: [:], body: [])
                try await eventually("not ready") {
                    try await connection.send(LiveServer.bytes("GET", "/readyz"))
                    reply = try await connection.receive()
                    return reply.status == 503
                }
                return reply
            }
        }
        for (path, isBatch) in [("/v1/segment", false), ("/v1/segment/batch", true)] {
            func segment(
                _ status: Int,
                query: String = "",
                change: @escaping @Sendable (inout ServiceConfiguration) -> Void = { _ in },
                _ body: @escaping @Sendable () throws -> [UInt8] = { try TestModels.png() }
            ) {
                cases["POST \(path) \(status)"] = {
                    var form = TestForm()
                    form.add("image", fileName: "a.png", try body())
                    let headers = isBatch ? ["Content-Type": form.contentType] : [:]
                    let bytes = isBatch ? form.bytes : try body()
                    return try await LiveServer.run(change) {
                        try await $0.request("POST", path + query, headers, body: bytes)
                    }
                }
            }
            segment(200)
            segment(400, query: "?size=huge")
            segment(401, change: { $0.token = try? BearerToken("correct-horse") })
            segment(404, query: "?model=none")
            segment(413, change: { $0.limits.bytes = 100 })
            cases["POST \(path) 411"] = { try await LiveServer.run { try await $0.request("POST", path) } }
            cases["POST \(path) 415"] = {
                try await LiveServer.run { try await $0.request("POST", path, body: Array("no picture".utf8)) }
            }
            cases["POST \(path) 408"] = {
                try await LiveServer.run({ $0.limits.receiveTime = .milliseconds(100) }) { server in
                    let connection = try server.connect()
                    try await connection.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
                    return try await connection.receive()
                }
            }
            cases["POST \(path) 503"] = {
                let gate = Gate()
                return try await LiveServer.run({
                    $0.workers = 1
                    $0.limits.queue = 0
                    $0.beforeWork = { gate.wait() }
                }) { server in
                    let png = try TestModels.png()
                    async let first = server.segment(png)
                    try await gate.waitForWorkers(1)
                    let reply = try await server.request("POST", path, body: png)
                    gate.release()
                    _ = try await first
                    return reply
                }
            }
            cases["POST \(path) 504"] = {
                let gate = Gate()
                var form = TestForm()
                form.add("image", fileName: "a.png", try TestModels.png())
                return try await LiveServer.run({
                    $0.limits.deadline = .milliseconds(100)
                    $0.beforeWork = { gate.wait() }
                }) { [form] server in
                    let reply = try await server.request(
                        "POST",
                        path,
                        ["Content-Type": form.contentType],
                        body: form.bytes
                    )
                    gate.release()
                    return reply
                }
            }
        }
        addVideos(to: &cases)
        cases["POST /v1/segment/batch 422"] = {
            var form = TestForm()
            form.add("image", fileName: "a.txt", Array("no picture".utf8))
            form.add("image", fileName: "b.png", [])
            return try await LiveServer.run { [form] server in
                try await server.request(
                    "POST",
                    "/v1/segment/batch",
                    ["Content-Type": form.contentType],
                    body: form.bytes
                )
            }
        }
        return cases
    }()

    @Test("every status of the file has a case here, and the reverse")
    func coverage() throws {
        let documented = try Self.operations().flatMap { name, operation in
            (operation["responses"] as? [String: Any] ?? [:]).keys.map { "\(name) \($0)" }
        }
        #expect(documented.sorted() == Self.cases.keys.sorted())
    }

    @Test(
        "every status of the file is produced, with the headers and the type it promises",
        arguments: cases.keys.sorted()
    )
    func produced(outcome: Outcome) async throws {
        let parts = outcome.split(separator: " ")
        let produce = try #require(Self.cases[outcome])
        let reply = try await produce()
        if Self.isSkipped(reply) { return print("skipped, ffmpeg is not installed: \(outcome)") }
        #expect("\(reply.status)" == parts[2], "\(reply.detail)")
        let (_, operation) = try #require(try Self.operations().first { $0.name == "\(parts[0]) \(parts[1])" })
        var response = try #require((operation["responses"] as? [String: [String: Any]])?[String(parts[2])])
        if let reference = response["$ref"] as? String {
            let components = try Self.description()["components"] as? [String: [String: Any]]
            response = try #require(
                components?["responses"]?[String(reference.split(separator: "/").last ?? "")] as? [String: Any]
            )
        }
        for header in (response["headers"] as? [String: Any] ?? [:]).keys {
            #expect(reply.headers[header.lowercased()] != nil, "\(header)")
        }
        if let content = response["content"] as? [String: Any] {
            let type = try #require(reply.headers["content-type"]?.split(separator: ";").first.map(String.init))
            #expect(content.keys.contains(type) || content.keys.contains("*/*"), "\(type)")
        } else {
            #expect(reply.body.isEmpty)
        }
    }
}

/// A page's folder with an asset in it.
final class TestPage: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "segnet-page-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: url.appending(path: "assets/js"), withIntermediateDirectories: true)
        try Data("<!DOCTYPE html>".utf8).write(to: url.appending(path: "index.html"))
        try Data("export const a = 1".utf8).write(to: url.appending(path: "assets/js/a.js"))
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
