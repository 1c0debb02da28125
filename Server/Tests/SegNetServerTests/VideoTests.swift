import Foundation
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNetServer

/// Small videos that the installed ffmpeg makes.
enum TestVideos {
    static let ffmpeg = try? FFmpeg()
    static let missing: Comment = "ffmpeg and ffprobe are not installed"

    /// - Parameters:
    ///   - format: ffmpeg's name of the kind of file; it is written into a pipe or a file of that ending.
    static func video(_ source: String = "testsrc2=size=48x32:rate=25", frames: Int = 12, ending: String = "mp4") throws
        -> [UInt8]
    {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-clip-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let words =
            "-y -loglevel error -f lavfi -i \(source) -frames:v \(frames) -c:v \(ending == "mkv" ? "ffv1 -pix_fmt bgr0" : "libx264 -pix_fmt yuv420p") clip.\(ending)"
        let process = Process()
        process.executableURL = URL(filePath: try #require(ffmpeg).ffmpeg)
        process.arguments = words.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return try [UInt8](Data(contentsOf: folder.appending(path: "clip.\(ending)")))
    }

    /// The gray frames of a mask video.
    static func masks(_ bytes: [UInt8], width: Int, height: Int) throws -> [[UInt8]] {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "segnet-mask-\(UInt64.random(in: 0 ... .max)).mkv"
        )
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = URL(filePath: try #require(ffmpeg).ffmpeg)
        process.arguments = ["-loglevel", "error", "-i", file.path, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let size = width * height
        return (0..<data.count / size).map { [UInt8](data[$0 * size..<($0 + 1) * size]) }
    }
}

extension LiveServer {
    func send(video: [UInt8], _ query: String = "", _ headers: [String: String] = [:]) async throws -> Reply {
        try await request("POST", "/v1/videos" + (query.isEmpty ? "" : "?" + query), headers, body: video)
    }

    /// Sends a video and waits for its end.
    func finished(video: [UInt8], _ query: String = "") async throws -> VideoJob.Document {
        let sent = try await send(video: video, query)
        guard sent.status == 202 else { throw RawConnection.Failure(description: "\(sent.status): \(sent.detail)") }
        let place = sent.headers["location"] ?? ""
        var document = try sent.json(VideoJob.Document.self)
        try await eventually("the video's end") {
            document = try await request("GET", place).json()
            return document.state == .done || document.state == .failed
        }
        return document
    }
}

@Suite("/v1/videos", .enabled(if: TestVideos.ffmpeg != nil, TestVideos.missing), .timeLimit(.minutes(5)))
struct VideoTests {
    @Test("masks equal those of the segmenter alone, frame by frame")
    func masks() async throws {
        let video = try TestVideos.video(ending: "mkv")
        let (document, reply) = try await LiveServer.run { server in
            let document = try await server.finished(video: video, "output=mask")
            return (document, try await server.request("GET", try #require(document.result)))
        }
        #expect(document.state == .done && document.frames == 12 && document.totalFrames == 12)
        #expect((document.width, document.height) == (48, 32) && document.error == nil && document.problem == nil)
        #expect(document.classes?.map(\.pixels).reduce(0, +) == 12 * 48 * 32)
        #expect(reply.status == 200 && reply.headers["content-type"] == "video/x-matroska")
        #expect(reply.headers["content-disposition"] == "attachment; filename=\"video.mask.mkv\"")
        #expect(reply.body.count == document.resultBytes)
        let masks = try TestVideos.masks(reply.body, width: 48, height: 32)
        #expect(masks.count == 12)
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-bare-\(UInt64.random(in: 0 ... .max)).mkv"
        )
        try Data(video).write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        let expected = try await Self.bare(folder.path)
        #expect(masks == expected)
        #expect(Set(masks.joined()).count > 1, "masks of one class would prove nothing")
    }

    private static func bare(_ path: String) async throws -> [[UInt8]] {
        let segmenter = try TestModels.bare()
        let ffmpeg = try #require(TestVideos.ffmpeg)
        return try await Task.detached {
            var masks: [[UInt8]] = []
            try VideoSegmentation(segmenter, ffmpeg: ffmpeg)
                .run(
                    .file(path),
                    to: [],
                    each: { frame, _ in masks.append(frame.segmentation.classes.ids.map { UInt8($0) }) }
                )
            return masks
        }.value
    }

    @Test("overlays and tables have their types, and parameters reach the work")
    func outputs() async throws {
        let video = try TestVideos.video()
        try await LiveServer.run { server in
            let overlay = try await server.finished(video: video, "smooth=0.6&edges=smooth&model=bayesian")
            let result = try await server.request("GET", try #require(overlay.result))
            #expect(result.headers["content-type"] == "video/mp4" && overlay.model == "bayesian")
            #expect(String(decoding: result.body[4..<8], as: UTF8.self) == "ftyp")
            let shares = try await server.finished(video: video, "output=shares&every=5")
            let table = try await server.request("GET", try #require(shares.result))
            #expect(table.headers["content-type"] == "text/csv" && shares.frames == 3)
            #expect(table.text.hasPrefix("frame,seconds,sky,house,road,tree,car\r\n0,0.000000,"))
            #expect(table.text.split(separator: "\r\n").count == 4)
        }
    }

    @Test("a service without ffmpeg says so, to programs and to the page")
    func noFFmpeg() async throws {
        try await LiveServer.run({ $0.findFFmpeg = { () throws(VideoError) in throw VideoError("ffmpeg", .noFFmpeg) } })
        { server in
            let list = try await server.request("GET", "/v1/videos").json(VideoEndpoints.Document.self)
            #expect(!list.isAvailable && list.reason?.contains("is not on PATH") == true)
            let reply = try await server.send(video: [1, 2, 3])
            #expect(reply.status == 501)
            #expect(
                reply.detail
                    == "This service takes no videos (ffmpeg: is not on PATH, but is needed to read and write videos; "
                    + "\(VideoError.installation).) Send single frames to /v1/segment."
            )
        }
        try await LiveServer.run({ $0.videos.bytes = 0 }) { (server) async throws in
            #expect(
                try await server.request("GET", "/v1/videos").json(VideoEndpoints.Document.self).isAvailable == false
            )
            #expect(try await server.send(video: [1]).status == 501)
        }
    }

    @Test(
        "what is not a video, too long, too large or too much is refused at once, without names of the service's own files"
    )
    func refused() async throws {
        let video = try TestVideos.video()
        try await LiveServer.run { server in
            let text = try await server.send(video: Array("only words".utf8))
            #expect(text.status == 415)
            #expect(
                text.detail
                    == "The video cannot be read as a video (Invalid data found when processing input); check the file, or convert it with ffmpeg."
            )
            #expect(try await server.send(video: []).status == 400)
            // ffmpeg would read a list of other files if it could.
            let list = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
            #expect(try await server.send(video: Array(list.utf8)).status == 415)
            let concat = "ffconcat version 1.0\nfile /etc/passwd\n"
            #expect(try await server.send(video: Array(concat.utf8)).status == 415)
            for query in [
                "output=json", "every=0", "every=1.5", "every=01", "smooth=1", "smooth=-1", "smooth=1e-1", "smooth=nan",
                "size=native", "edges=round",
            ] {
                #expect(try await server.send(video: video, query).status == 400, "\(query)")
            }
            #expect(try await server.request("GET", "/v1/videos").json(VideoEndpoints.Document.self).count == 0)
        }
        for change: @Sendable (inout ServiceConfiguration) -> Void in [
            { $0.videos.frames = 11 }, { $0.videos.pixels = 48 * 32 - 1 }, { $0.videos.bytes = 100 },
        ] {
            #expect(try await LiveServer.run(change) { try await $0.send(video: video).status } == 413)
        }
        let long = try TestVideos.video(frames: 60)
        let reply = try await LiveServer.run({ $0.videos.seconds = 2 }) { try await $0.send(video: long) }
        #expect(
            reply.status == 413
                && reply.detail
                    == "The video lasts 2.4 s, but the limit is 2.0 s; cut it, or give a start and a duration."
        )
    }

    @Test("places are limited: a fetched result gives way, a running video does not, and giving up frees one")
    func places() async throws {
        let gate = Gate()
        let video = try TestVideos.video(frames: 3)
        try await LiveServer.run({
            $0.videos.count = 2
            $0.beforeWork = { gate.wait() }
        }) { server in
            let first = try await server.send(video: video)
            let second = try await server.send(video: video)
            #expect(first.status == 202 && second.status == 202)
            let third = try await server.send(video: video)
            #expect(third.status == 503 && third.headers["retry-after"] == "30")
            let place = try #require(second.headers["location"])
            #expect(try await server.request("GET", place + "/result").status == 409)
            #expect(try await server.request("DELETE", place).status == 204)
            #expect(try await server.request("GET", place).status == 404)
            #expect(try await server.send(video: video).status == 202)
            gate.release()
            let result = try #require(first.headers["location"]) + "/result"
            try await eventually("the first result") { try await server.request("GET", result).status == 200 }
            #expect(try await server.send(video: video).status == 202)
        }
    }

    @Test("a page in the background of a browser, which asks once a minute, keeps its video")
    func patience() {
        #expect(VideoLimits().patience >= .seconds(150))
    }

    @Test("a video that nobody asks for is given up, and its files go")
    func forgotten() async throws {
        let gate = Gate()
        let video = try TestVideos.video(frames: 3)
        try await LiveServer.run({
            $0.videos.patience = .milliseconds(200)
            $0.beforeWork = { gate.wait() }
        }) { server in
            let sent = try await server.send(video: video)
            try await Task.sleep(for: .milliseconds(400))
            gate.release()
            try await eventually("no video") {
                try await server.request("GET", "/v1/videos").json(VideoEndpoints.Document.self).count == 0
            }
            #expect(try await server.request("GET", try #require(sent.headers["location"])).status == 404)
        }
    }

    @Test("other clients' pictures are answered while a video is segmented, and a full queue does not end it")
    func amongOthers() async throws {
        let video = try TestVideos.video(frames: 60)
        let png = try TestModels.png()
        try await LiveServer.run({ $0.limits.queue = 0 }) { server in
            async let document = server.finished(video: video, "output=shares")
            // Nobody may wait here, so a picture is refused while frames have all the workers.
            try await eventually("a picture is answered") { try await server.segment(png).status == 200 }
            #expect(try await document.state == .done)
        }
    }

    @Test("a token protects videos, but not the list that the page asks for first")
    func token() async throws {
        try await LiveServer.run({ $0.token = try? BearerToken("correct-horse") }) { (server) async throws in
            #expect(try await server.request("GET", "/v1/videos").status == 200)
            #expect(try await server.send(video: [1]).status == 401)
            for method in ["GET", "DELETE"] {
                #expect(try await server.request(method, "/v1/videos/abc").status == 401)
            }
            #expect(try await server.request("GET", "/v1/videos/abc/result").status == 401)
        }
    }

    @Test("a shutdown gives a running video up, and leaves no files")
    func shutdown() async throws {
        let video = try TestVideos.video(frames: 1200)
        let frames = Mutex(0)
        let folder = try await LiveServer.run({
            $0.beforeWork = {
                frames.withLock { $0 += 1 }
                usleep(20_000)
            }
        }) { server in
            let sent = try await server.send(video: video)
            #expect(sent.status == 202)
            try await eventually("a frame is worked on") { frames.withLock { $0 } > 0 }
            return try #require(server.application.videoFolder)
        }
        #expect(frames.withLock { $0 } < 1200)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }
}
