import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite("Tokens, headers, origins")
struct SecurityTests {
    @Test("with a token, only who shows it may segment; the page and the models are open")
    func token() async throws {
        try await LiveServer.run({ $0.token = try? BearerToken("correct-horse") }) { server in
            let png = try TestModels.png()
            let without = try await server.segment(png)
            #expect(without.status == 401)
            #expect(without.headers["www-authenticate"] == "Bearer")
            #expect(without.detail == "This service requires a token. Send it as 'Authorization: Bearer TOKEN'.")
            for wrong in [
                "Bearer wrong", "Bearer correct-hors", "Bearer correct-horse2", "Basic correct-horse", "correct-horse",
                "Bearer ",
            ] {
                let reply = try await server.segment(png, "", ["Authorization": wrong])
                #expect(reply.status == 401, "\(wrong)")
                #expect(
                    reply.detail
                        == "The token is wrong. Send the right one as 'Authorization: Bearer TOKEN'."
                )
            }
            let batch = try await server.request("POST", "/v1/segment/batch", body: png)
            #expect(batch.status == 401)
            for right in ["Bearer correct-horse", "bearer correct-horse"] {
                #expect(try await server.segment(png, "", ["Authorization": right]).status == 200)
            }
            for path in ["/", "/v1/models", "/healthz", "/metrics"] {
                #expect(try await server.request("GET", path).status == 200)
            }
        }
    }

    @Test("a token comes from a file's first line")
    func tokenFile() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-token-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "token").path
        try Data("correct-horse\r\nsecond line\n".utf8).write(to: URL(filePath: file))
        #expect(try BearerToken(file: file).accepts("Bearer correct-horse"))
        try Data("short\n".utf8).write(to: URL(filePath: file))
        let short = #expect(throws: ServiceError.self) { try BearerToken(file: file) }
        #expect(
            short?.description
                == "\(file): the token has to be at least 8 printable ASCII characters without spaces; make one with 'openssl rand -hex 32'."
        )
        let missing = #expect(throws: ServiceError.self) { try BearerToken(file: folder.path + "/none") }
        #expect(
            missing?.description
                == "\(folder.path)/none: the token file cannot be read; check the path and its permissions."
        )
    }

    @Test("every answer keeps browsers careful and has an id", arguments: ["/", "/v1/models", "/nothing", "/metrics"])
    func headers(path: String) async throws {
        let reply = try await LiveServer.run { try await $0.request("GET", path) }
        #expect(
            reply.headers["content-security-policy"]
                == "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
                + "form-action 'self'; frame-ancestors 'none'"
        )
        #expect(reply.headers["x-content-type-options"] == "nosniff")
        #expect(reply.headers["referrer-policy"] == "no-referrer")
        #expect(reply.headers["x-request-id"]?.count == 32)
        #expect(reply.headers["access-control-allow-origin"] == nil)
    }

    @Test(
        "a sane id is kept, another replaced",
        arguments: [
            ("abc-123", true), ("a b", false), (String(repeating: "x", count: 129), false), ("x\u{e4}", false),
            ("", false),
        ]
    )
    func requestID(id: String, isKept: Bool) async throws {
        let reply = try await LiveServer.run { try await $0.request("GET", "/nothing", ["X-Request-ID": id]) }
        let found = try #require(reply.headers["x-request-id"])
        #expect((found == id) == isKept)
        #expect(reply.text.contains("\"requestId\":\"\(found)\""))
    }

    @Test("pages of configured origins may call, errors included; others may not")
    func origins() async throws {
        try await LiveServer.run({ $0.corsOrigins = ["https://a.example"] }) { server in
            let known = try await server.segment(Array("no picture".utf8), "", ["Origin": "https://a.example"])
            #expect(known.status == 415)
            #expect(known.headers["access-control-allow-origin"] == "https://a.example")
            #expect(known.headers["access-control-expose-headers"] == "Server-Timing, X-Request-ID, Retry-After")
            #expect(known.headers["vary"] == "Origin")
            let other = try await server.segment(try TestModels.png(), "", ["Origin": "https://b.example"])
            #expect(other.headers["access-control-allow-origin"] == nil)
            let preflight = ["Origin": "https://a.example", "Access-Control-Request-Method": "POST"]
            let answer = try await server.request("OPTIONS", "/v1/segment", preflight)
            #expect(answer.status == 204)
            #expect(answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, DELETE")
            #expect(answer.headers["access-control-allow-headers"] == "Authorization, Content-Type, X-Request-ID")
            let foreign = try await server.request(
                "OPTIONS",
                "/v1/segment",
                ["Origin": "https://b.example", "Access-Control-Request-Method": "POST"]
            )
            #expect(foreign.status == 405)
        }
        try await LiveServer.run({ $0.corsOrigins = ["*"] }) { server in
            let reply = try await server.request("GET", "/v1/models", ["Origin": "https://b.example"])
            #expect(reply.headers["access-control-allow-origin"] == "*")
            #expect(reply.headers["vary"] == nil)
        }
    }
}
