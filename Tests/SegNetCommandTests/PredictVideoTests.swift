import ArgumentParser
import Foundation
import SegNetToolkit
import Testing

@testable import SegNetCommand

@Suite("segnet predict with videos")
struct PredictVideoTests {
    static let ffmpeg = try? FFmpeg()
    static let missing: Comment = "ffmpeg and ffprobe are not installed"

    private func run(_ program: String, _ words: String, in scratch: ScratchFolder) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = words.split(separator: " ").map(String.init)
        process.currentDirectoryURL = scratch.url
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(program) \(words)")
        return String(decoding: data, as: UTF8.self)
    }

    /// A folder with a video and a model.
    private func scratch(_ name: String = "clip.mp4", frames: Int = 10) throws -> ScratchFolder {
        let scratch = try ScratchFolder()
        try scratch.model("m.safetensors")
        let words =
            "-y -loglevel error -f lavfi -i testsrc2=size=48x32:rate=25 -f lavfi -i sine=frequency=440 -frames:v \(frames) "
            + "-t \(Double(frames) / 25) -c:v libx264 -pix_fmt yuv420p -c:a aac \(name)"
        _ = try run(try #require(Self.ffmpeg).ffmpeg, words, in: scratch)
        return scratch
    }

    private func predict(_ scratch: ScratchFolder, _ words: String..., isTerminal: Bool = false) -> CommandResult {
        segnet(["predict"] + words + ["--model", scratch("m.safetensors")], isTerminal: isTerminal)
    }

    @Test("a file for the result, in one line", .enabled(if: ffmpeg != nil, missing))
    func file() throws {
        let scratch = try scratch()
        let result = predict(scratch, scratch("clip.mp4"), "--output", scratch("new/clip.overlay.mp4"))
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(scratch.files("new") == ["clip.overlay.mp4"])
        #expect(result.output.hasPrefix("\(scratch("clip.mp4")): 10 frames of 48x32 in "))
        #expect(result.output.hasSuffix("; results in \(scratch("new/clip.overlay.mp4"))\n"))
        let kinds = try run(
            try #require(Self.ffmpeg).ffprobe,
            "-loglevel error -show_entries stream=codec_name,nb_frames -of csv=p=0 new/clip.overlay.mp4",
            in: scratch
        )
        #expect(kinds.hasPrefix("h264,10\naac,"))
    }

    @Test(
        "a dry run names the results and writes none, and a name may be of any bytes",
        .enabled(if: ffmpeg != nil, missing)
    )
    func dryRun() throws {
        let scratch = try scratch()
        let raw = RawFileName.text(Array(scratch("cl").utf8) + [0xE9] + Array("p.mp4".utf8))
        #expect(
            scratch("clip.mp4").withCString { old in RawFileName.withPath(raw) { rename(old, $0) } } == 0
        )
        let words = [raw, "--output", scratch("out"), "--save", "overlay,shares"]
        let dry = segnet(["predict", "--model", scratch("m.safetensors"), "--dry-run"] + words)
        #expect(dry.exitCode == 0, "\(dry.errors)")
        #expect(
            dry.output
                == "\(scratch("cl%E9p.mp4")) -> \(scratch("out/cl%E9p.overlay.mp4")), \(scratch("out/cl%E9p.shares.csv"))\n"
                + "1 video; nothing was done.\n"
        )
        #expect(!FileManager.default.fileExists(atPath: scratch("out")))
        struct Plan: Decodable {
            struct Video: Decodable { var outputs: [String: String]? }
            var dryRun: Bool?
            var videos: [Video]
        }
        let document = segnet(["predict", "--model", scratch("m.safetensors"), "--dry-run", "--json"] + words)
        let plan = try JSONDecoder().decode(Plan.self, from: Data(document.output.utf8))
        #expect(plan.dryRun == true && plan.videos[0].outputs?["shares"] == scratch("out/cl%E9p.shares.csv"))
        #expect(segnet(["predict", "--model", scratch("m.safetensors")] + words).exitCode == 0)
        #expect(scratch.files("out") == ["cl%E9p.overlay.mp4", "cl%E9p.shares.csv"])
        let gone = segnet(["predict", scratch("gone.mp4"), "--model", scratch("m.safetensors"), "--dry-run"])
        #expect(gone.exitCode == 1)
        #expect(gone.errors.contains("\(scratch("gone.mp4")): there is no such file; check the path.\n"))
    }

    @Test("benchmark video compares a video with its frames", .enabled(if: ffmpeg != nil, missing))
    func benchmark() throws {
        let scratch = try scratch()
        let words = ["benchmark", "video", scratch("clip.mp4"), "--model", scratch("m.safetensors"), "--repeat", "2"]
        let text = segnet(words)
        #expect(text.exitCode == 0, "\(text.errors)")
        #expect(text.output.contains("clip.mp4: 10 frames of 48x32; \(scratch("m.safetensors"))\n"))
        #expect(text.output.contains("the video takes "))
        let json = segnet(words + ["--json"])
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(report["frames"] as? Int == 10 && report["repetitions"] as? Int == 2)
        for way in ["bare", "overlay"] {
            let times = try #require(report[way] as? [String: [String: Double]])
            #expect(try #require(times["seconds"]?["least"]) > 0)
            // Tests that run at the same time start ffmpeg too, so the other way may also have some.
            #expect(try way == "bare" || #require(times["ffmpegSeconds"]?["median"]) > 0)
        }
        #expect(scratch.files("") == ["clip.mp4", "m.safetensors"])
        let missing = segnet("benchmark", "video", scratch("none.mp4"), "--model", scratch("m.safetensors"))
        #expect(missing.exitCode == 1 && missing.errors.contains("none.mp4: there is no such file; check the path."))
    }

    @Test("a folder for all kinds, videos or pictures, and JSON", .enabled(if: ffmpeg != nil, missing))
    func folder() throws {
        let scratch = try scratch()
        let all = predict(
            scratch,
            scratch("clip.mp4"),
            "--output",
            scratch("out"),
            "--save",
            "overlay,mask,color,shares",
            "--json"
        )
        #expect(all.exitCode == 0, "\(all.errors)")
        #expect(scratch.files("out") == ["clip.color.mp4", "clip.mask.mkv", "clip.overlay.mp4", "clip.shares.csv"])
        let document = try #require(try JSONSerialization.jsonObject(with: Data(all.output.utf8)) as? [String: Any])
        let video = try #require((document["videos"] as? [[String: Any]])?.first)
        #expect(video["frames"] as? Int == 10 && video["width"] as? Int == 48)
        #expect((video["outputs"] as? [String: String])?["mask"] == scratch("out/clip.mask.mkv"))
        #expect((document["pictures"] as? [Any])?.isEmpty == true && document["failed"] as? Int == 0)
        let frames = predict(
            scratch,
            scratch("clip.mp4"),
            "--output",
            scratch("pictures"),
            "--save",
            "mask",
            "--frames",
            "--every",
            "4",
            "--smooth",
            "0.5"
        )
        #expect(frames.exitCode == 0, "\(frames.errors)")
        #expect(scratch.files("pictures") == ["clip/000000.mask.png", "clip/000004.mask.png", "clip/000008.mask.png"])
        #expect(try LabelMap(path: scratch("pictures/clip/000004.mask.png")).width == 48)
    }

    @Test(
        "videos that fail are reported, the others are done, and the exit code is 1",
        .enabled(if: ffmpeg != nil, missing)
    )
    func failing() throws {
        let scratch = try scratch()
        try scratch.write("words", "bad.mp4")
        let result = predict(scratch, scratch("bad.mp4"), scratch("clip.mp4"), "--output", scratch("out"))
        #expect(result.exitCode == 1)
        #expect(scratch.files("out") == ["clip.overlay.mp4"])
        #expect(result.errors.contains("error: \(scratch("bad.mp4")): cannot be read as a video ("))
        #expect(result.output.hasPrefix("\(scratch("clip.mp4")): 10 frames"))
    }

    @Test("a terminal shows frames, their rate and the time left", .enabled(if: ffmpeg != nil, missing))
    func progress() throws {
        let scratch = try scratch()
        let result = predict(scratch, scratch("clip.mp4"), "--output", scratch("out"), isTerminal: true)
        let lines = result.errors.components(separatedBy: "\r\u{1B}[K")
        #expect(lines.contains { $0.hasPrefix("frame 1/10: \(scratch("clip.mp4"))".prefix(20)) })
        #expect(
            lines.contains { $0.hasPrefix("frame 7/10, ") && $0.contains(" per second, 0:0") && $0.contains(" left: ") }
        )
    }

    @Test(
        "what does not go together is refused",
        arguments: [
            (
                ["a.png", "--every", "2"],
                "Please give '--every' only with a video; none of the inputs has the ending of one (mp4, mov, mkv, webm, avi and others)."
            ),
            (["a.png", "b.mp4"], "Please segment pictures and videos in two calls."),
            (
                ["b.mp4", "--save", "logits"],
                "Please leave 'logits' out with a video, which gives only mask, color, overlay and shares."
            ),
            (
                ["x/b.mp4", "y/b.mov"],
                "Please segment videos with the same name ('b') in two calls, each with its own '--output'."
            ),
            (["b.mp4", "c.mp4", "--output", "o.mp4"], "Please give '--output' a folder for several videos."),
            (
                ["b.mp4", "--output", "o.mp4", "--save", "mask,color"],
                "Please give '--output' a folder for several results of a video"
            ),
            (["b.mp4", "--output", "o.mp4", "--frames"], "Please give '--output' a folder with '--frames'."),
            (
                ["b.mp4", "--output", "-", "--save", "overlay"],
                "Please give '--output' a file or a folder for a video."
            ),
            (["b.mp4", "--resume"], "Please leave '--resume' out with a video; it is for pictures."),
            (["b.mp4", "--save", "polygons"], "Please leave 'polygons' out with a video"),
            (["b.mp4", "--every", "0"], "Please give '--every' a number of at least 1; found 0."),
            (["b.mp4", "--smooth", "1"], "Please give '--smooth' a number in 0...0.99; found 1.0."),
            (["b.mp4", "--start", "-1"], "Please give '--start' seconds in 0...1000000000; found -1.0."),
            (
                ["b.mp4", "--duration", "0"],
                "Please give '--duration' seconds above 0 and up to 1000000000; found 0.0."
            ),
            (
                ["b.mp4", "--duration", "1e300"],
                "Please give '--duration' seconds above 0 and up to 1000000000; found 1e+300."
            ),
        ] as [([String], String)]
    )
    func refused(words: [String], message: String) {
        let result = segnet(["predict"] + words)
        #expect(result.exitCode == 64)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test(
        "a name says what a file is to hold",
        arguments: [
            ("a.overlay.mp4", .overlay), ("a.mp4", .overlay), ("x.mask.mkv", .mask), ("x.MASK.mkv", .mask),
            ("d/a.color.mov", .color),
            ("a.csv", .shares), ("mask.mkv", .overlay),
        ] as [(String, OutputKind)]
    )
    func names(path: String, kind: OutputKind) { #expect(VideoRun.kind(named: path) == kind) }

    @Test("standard input is a video if the output or an option says so")
    func standardInput() throws {
        func videos(_ words: String...) throws -> [VideoInput] {
            try #require(try SegNetCommand.parseAsRoot(["predict", "-"] + words) as? Predict).videos
        }
        #expect(try videos() == [] && videos("--output", "folder") == [])
        #expect(try videos("--output", "a.mp4") == [.standardInput] && videos("--every", "2") == [.standardInput])
    }
}
