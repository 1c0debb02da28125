import Foundation
import SegNetToolkit
import Testing

@testable import SegNetServer

@Suite(
    "The disk that videos take",
    .enabled(if: TestVideos.ffmpeg != nil, TestVideos.missing),
    .timeLimit(.minutes(5))
)
struct VideoDiskTests {
    private static func full(_ limit: Int) -> String {
        "The service has no room for another video: all videos and results together may take up \(limit) bytes of its disk. Try "
            + "again after the time in Retry-After."
    }

    /// What a client is told that asks whether to send so many bytes: 100 if it may.
    private static func offer(_ bytes: Int, to server: LiveServer) async throws -> Reply {
        let connection = try server.connect()
        try await connection.send(
            "POST /v1/videos HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(bytes)\r\n\r\n"
        )
        return try await connection.receive()
    }

    @Test("beyond the bound a video is refused before it is sent, and one that is given up makes room")
    func refused() async throws {
        let gate = Gate()
        let video = try TestVideos.video(frames: 3)
        let limit = 2 * video.count - 1
        try await LiveServer.run({
            $0.videos.bytes = video.count
            $0.videos.diskBytes = limit
            $0.beforeWork = { gate.wait() }
        }) { server in
            let first = try await server.send(video: video)
            #expect(first.status == 202)
            #expect(try await Self.offer(video.count - 1, to: server).status == 100)
            let refused = try await Self.offer(video.count, to: server)
            #expect(refused.status == 503 && refused.headers["retry-after"] == "30")
            #expect(refused.detail == Self.full(limit))
            // Also a body that does not state its length.
            let chunked = try server.connect()
            try await chunked.send("POST /v1/videos HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            try await chunked.send(
                Array("\(String(video.count, radix: 16))\r\n".utf8) + video + Array("\r\n0\r\n\r\n".utf8)
            )
            #expect(try await chunked.receive().status == 503)
            #expect(try await server.request("DELETE", try #require(first.headers["location"])).status == 204)
            gate.release()
            try await eventually("there is room") { try await server.send(video: video).status == 202 }
        }
    }

    @Test("a result that becomes too large ends with an error, and its files go")
    func tooLarge() async throws {
        // A gray video is small, a table of its frames is not.
        let video = try TestVideos.video("color=gray:size=48x32:rate=25", frames: 400)
        try await LiveServer.run({
            $0.videos.bytes = video.count
            $0.videos.diskBytes = video.count
        }) { server in
            for _ in 0..<2 {
                let document = try await server.finished(video: video, "output=shares")
                #expect(document.state == .failed && document.result == nil)
                #expect(
                    document.error
                        == "There is no room for the result: all videos and results together may take up \(video.count) bytes of the "
                        + "service's disk. Send the video again later, or a shorter one."
                )
                let folder = try #require(server.application.videoFolder)
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            }
        }
    }

    @Test("a video for which no folder can be made is put off, as where the disk is full")
    func noFolder() async throws {
        let video = try TestVideos.video(frames: 3)
        try await LiveServer.run { server in
            let folder = try #require(server.application.videoFolder)
            try FileManager.default.removeItem(at: folder)
            try Data().write(to: folder)
            let answer = try await server.send(video: video)
            #expect(answer.status == 503 && answer.headers["retry-after"] == "60")
            try FileManager.default.removeItem(at: folder)
        }
    }

    @Test("a result that has been fetched gives way")
    func fetched() async throws {
        let video = try TestVideos.video(frames: 3)
        try await LiveServer.run({
            $0.videos.bytes = 200_000
            $0.videos.diskBytes = 200_000
        }) { server in
            let document = try await server.finished(video: video)
            #expect(document.state == .done)
            #expect(try await Self.offer(200_000, to: server).status == 503)
            #expect(try await server.request("GET", try #require(document.result)).status == 200)
            try await eventually("there is room") { try await Self.offer(200_000, to: server).status == 100 }
        }
    }
}

@Suite("The folder of videos")
struct VideoFolderTests {
    private final class Parent {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "segnet-parent-\(UInt64.random(in: 0 ... .max))"
        )
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }

        var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
    }

    @Test("what a killed server has left is removed, what a running one has is not")
    func leftovers() throws {
        let parent = try Parent()
        let running = try VideoFolder(in: parent.url)
        // The system takes a killed process's lock away, as it does when the lock is closed.
        var killed: VideoFolder? = try VideoFolder(in: parent.url)
        try FileManager.default.createDirectory(
            at: try #require(killed?.url).appending(path: "job"),
            withIntermediateDirectories: true
        )
        try Data("a video".utf8).write(to: try #require(killed?.url).appending(path: "job/video"))
        for name in ["segnet-other", "segnet-videos-file"] {
            try Data().write(to: parent.url.appending(path: name))
        }
        #expect(VideoFolder.removeLeftovers(in: parent.url) == 0)
        killed = nil
        #expect(VideoFolder.removeLeftovers(in: parent.url) == 1)
        #expect(parent.names == ["segnet-other", "segnet-videos-file", running.url.lastPathComponent].sorted())
        #expect(running.url.lastPathComponent.hasPrefix("segnet-videos-"))
        running.remove()
        #expect(parent.names == ["segnet-other", "segnet-videos-file"])
    }

    @Test("nobody else may read it")
    func rights() throws {
        let parent = try Parent()
        let folder = try VideoFolder(in: parent.url)
        let rights = try FileManager.default.attributesOfItem(atPath: folder.url.path)[.posixPermissions] as? Int
        #expect(rights == 0o700)
        let missing = parent.url.appending(path: "none")
        #expect(throws: VideoError(missing.path, .unwritable("No such file or directory"))) {
            try VideoFolder(in: missing)
        }
    }

    @Test("a service that starts removes leftovers, and leaves the folder of a second one alone")
    func service() async throws {
        try await LiveServer.run { first in
            let left = FileManager.default.temporaryDirectory.appending(
                path: "segnet-videos-\(UInt64.random(in: 0 ... .max))"
            )
            try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
            try await LiveServer.run { second in
                #expect(!FileManager.default.fileExists(atPath: left.path))
                if TestVideos.ffmpeg == nil { return }
                let folders = try [first, second].map { try #require($0.application.videoFolder) }
                #expect(folders[0] != folders[1])
                for folder in folders { #expect(FileManager.default.fileExists(atPath: folder.path)) }
            }
        }
    }
}
