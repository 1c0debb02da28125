import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

extension OpenAPITests {
    /// The cases of `/v1/videos`. If ffmpeg is not installed, those that need it are made by hand, so that the file is still checked.
    static func addVideos(to cases: inout [Outcome: @Sendable () async throws -> Reply]) {
        let path = "/v1/videos"
        cases["GET \(path) 200"] = { try await LiveServer.run { try await $0.request("GET", path) } }
        let token: @Sendable (inout ServiceConfiguration) -> Void = { $0.token = try? BearerToken("correct-horse") }
        for (outcome, place) in [
            ("POST \(path)", path), ("GET \(path)/{id}", "\(path)/a"), ("DELETE \(path)/{id}", "\(path)/a"),
            ("GET \(path)/{id}/result", "\(path)/a/result"),
        ] {
            let method = String(outcome.prefix { $0 != " " })
            let body: [UInt8]? = method == "POST" ? [1] : nil
            cases["\(outcome) 401"] = {
                try await LiveServer.run(token) { try await $0.request(method, place, body: body) }
            }
            if method != "POST" {
                cases["\(outcome) 404"] = { try await LiveServer.run { try await $0.request(method, place) } }
            }
        }
        cases["POST \(path) 400"] = { try await LiveServer.run { try await $0.send(video: [1], "every=0") } }
        cases["POST \(path) 404"] = { try await LiveServer.run { try await $0.send(video: [1], "model=none") } }
        cases["POST \(path) 501"] = {
            try await LiveServer.run({ $0.videos.bytes = 0 }) { try await $0.send(video: [1]) }
        }
        let there: @Sendable (inout ServiceConfiguration) -> Void = { configuration in
            guard TestVideos.ffmpeg == nil else { return }
            configuration.findFFmpeg = { () throws(VideoError) in try TestPrograms.ffmpeg() }
        }
        cases["POST \(path) 408"] = {
            try await LiveServer.run({
                there(&$0)
                $0.limits.receiveTime = .milliseconds(100)
            }) { server in
                let connection = try server.connect()
                try await connection.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
                return try await connection.receive()
            }
        }
        cases["POST \(path) 411"] = { try await LiveServer.run(there) { try await $0.request("POST", path) } }
        cases["POST \(path) 413"] = {
            try await LiveServer.run({
                there(&$0)
                $0.videos.bytes = 2
            }) { try await $0.send(video: [1, 2, 3]) }
        }
        cases["POST \(path) 415"] = {
            try await LiveServer.run(there) { try await $0.send(video: Array("words".utf8)) }
        }
        cases["POST \(path) 503"] = {
            try await LiveServer.run({
                there(&$0)
                $0.videos.count = 0
            }) { try await $0.send(video: [1]) }
        }
        addResults(to: &cases)
    }

    /// The cases for which a video has to be segmented.
    private static func addResults(to cases: inout [Outcome: @Sendable () async throws -> Reply]) {
        let path = "/v1/videos"
        let missing = Reply(status: 0, headers: [:], body: Array("ffmpeg and ffprobe are not installed".utf8))
        func withVideo(_ outcome: Outcome, _ body: @escaping @Sendable (LiveServer, Reply) async throws -> Reply) {
            cases[outcome] = {
                guard TestVideos.ffmpeg != nil else { return missing }
                let gate = Gate()
                return try await LiveServer.run({ $0.beforeWork = { gate.wait() } }) { server in
                    let sent = try await server.send(video: try TestVideos.video(frames: 2))
                    if outcome.hasSuffix("200") { gate.release() }
                    let reply = try await body(server, sent)
                    gate.release()
                    return reply
                }
            }
        }
        withVideo("POST \(path) 202") { _, sent in sent }
        withVideo("GET \(path)/{id} 200") { server, sent in
            try await server.request("GET", sent.headers["location"] ?? "")
        }
        withVideo("DELETE \(path)/{id} 204") { server, sent in
            try await server.request("DELETE", sent.headers["location"] ?? "")
        }
        withVideo("GET \(path)/{id}/result 409") { server, sent in
            try await server.request("GET", (sent.headers["location"] ?? "") + "/result")
        }
        withVideo("GET \(path)/{id}/result 200") { server, sent in
            let place = (sent.headers["location"] ?? "") + "/result"
            var reply = sent
            try await eventually("the result") {
                reply = try await server.request("GET", place)
                return reply.status == 200
            }
            return reply
        }
    }

    /// Whether a case could not be produced here.
    static func isSkipped(_ reply: Reply) -> Bool { reply.status == 0 }
}

/// Programs that say they are ffmpeg and ffprobe, and read nothing.
enum TestPrograms {
    static func ffmpeg() throws(VideoError) -> FFmpeg {
        let folder = FileManager.default.temporaryDirectory.appending(path: "segnet-programs")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["ffmpeg", "ffprobe"] {
            let file = folder.appending(path: name)
            let text = "#!/bin/sh\n[ \"$1\" = -version ] && { echo 'ffmpeg version 7.0 test'; exit 0; }\nexit 1\n"
            try? Data(text.utf8).write(to: file)
            try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
        }
        return try FFmpeg(path: folder.path)
    }
}
