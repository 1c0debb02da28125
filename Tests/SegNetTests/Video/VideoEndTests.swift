import Foundation
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("Videos that are bad, or end early", .enabled(if: Clips.ffmpeg != nil, Clips.missing), .timeLimit(.minutes(30)))
struct VideoEndTests {
    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return "no error"
    }

    @Test(
        "a truncated video gives the frames that are there, and says what ffmpeg found",
        arguments: ["mkv", "ts", "mp4"]
    )
    func truncated(ending: String) throws {
        let clips = try Clips()
        let options = ending == "mp4" ? "-movflags +faststart" : ""
        try clips.ffmpeg(
            "-f lavfi -i testsrc2=size=160x120:rate=25 -frames:v 50 -c:v libx264 -g 5 \(options) whole.\(ending)"
        )
        let whole = try Data(contentsOf: clips.folder.appending(path: "whole.\(ending)"))
        try whole.prefix(whole.count * 6 / 10).write(to: clips.folder.appending(path: "in.\(ending)"))
        let report = try clips.run("in.\(ending)", to: [.video(.mask, path: clips("out.mkv"))])
        #expect(report.frames > 10 && report.frames < 50)
        #expect(try clips.times("out.mkv").count == report.frames)
        // In a stream, half a packet is just missing; in a file it is damage.
        if ending != "ts" { #expect(report.problem != nil) }
    }

    @Test("an MP4 without its end is not a video, and nothing is written")
    func noIndex() throws {
        let clips = try Clips()
        try clips.ffmpeg("-f lavfi -i testsrc2=size=160x120:rate=25 -frames:v 50 -c:v libx264 whole.mp4")
        let whole = try Data(contentsOf: clips.folder.appending(path: "whole.mp4"))
        try whole.prefix(whole.count / 2).write(to: clips.folder.appending(path: "in.mp4"))
        let message = message { try clips.run("in.mp4", to: [.video(.overlay(), path: clips("out.mp4"))]) }
        #expect(
            message
                == "\(clips("in.mp4")): cannot be read as a video (moov atom not found); check the file, or convert it with ffmpeg."
        )
        #expect(clips.files == ["in.mp4", "whole.mp4"])
    }

    @Test("files that are not videos are refused in one sentence")
    func noVideo() throws {
        let clips = try Clips()
        try Data("not a video, only words\n".utf8).write(to: clips.folder.appending(path: "text.mp4"))
        try Data().write(to: clips.folder.appending(path: "empty.mkv"))
        try clips.ffmpeg("-f lavfi -i sine=frequency=440:duration=1 -c:a aac sound.mp4")
        func refused(_ name: String) -> String {
            message { try clips.run(name, to: [.video(.mask, path: clips("out.mkv"))]) }
        }
        let advice = "; check the file, or convert it with ffmpeg."
        // ffmpeg's words depend on the ending of the name.
        #expect(refused("text.mp4").hasPrefix("\(clips("text.mp4")): cannot be read as a video ("))
        #expect(refused("text.mp4").hasSuffix(advice))
        #expect(
            refused("none.mp4") == "\(clips("none.mp4")): there is no such file; check the path."
        )
        try clips.moving("tiny.mkv", size: "4x6", frames: 1)
        #expect(
            refused("tiny.mkv")
                == "\(clips("tiny.mkv")): its frames have 4x6 pixels, and a video needs at least 5x5; enlarge it first "
                + "('ffmpeg -i IN -vf scale=iw*8:ih*8:flags=neighbor OUT'), or give its frames as pictures."
        )
        #expect(refused("empty.mkv").hasPrefix("\(clips("empty.mkv")): cannot be read as a video ("))
        #expect(refused("sound.mp4") == "\(clips("sound.mp4")): holds no pictures, perhaps only sound; give a video.")
        #expect(!clips.files.contains("out.mkv") && !clips.files.contains { $0.hasPrefix(".segnet") })
    }

    @Test("no frame at all is an error")
    func noFrames() throws {
        let clips = try Clips().moving("in.mkv", frames: 5)
        // Whole headers, but no frame.
        try clips.ffmpeg("-i in.mkv -c copy -t 0 -f matroska empty.mkv")
        for (name, start) in [("in.mkv", 10.0), ("empty.mkv", 0.0)] {
            let message = message {
                try clips.run(name, to: [.video(.mask, path: clips("out.mkv")), .shares(path: clips("out.csv"))]) {
                    $0.start = start > 0 ? start : nil
                }
            }
            // Some versions of ffmpeg write a file without frames that none of them reads.
            let words = ["has no frame that can be read"] + (name == "empty.mkv" ? ["cannot be read as a video"] : [])
            #expect(words.contains { message.hasPrefix("\(clips(name)): \($0)") }, "\(message)")
            #expect(clips.files == ["empty.mkv", "in.mkv"])
        }
    }

    @Test("impossible steps between frames are refused", arguments: [0, Int.max])
    func steps(every: Int) throws {
        let clips = try Clips().moving("in.mkv", frames: 3)
        let message = message { try clips.run("in.mkv", to: [.shares(path: clips("out.csv"))]) { $0.every = every } }
        #expect(message.hasPrefix("\(clips("in.mkv")): every has to be in 1...2147483647, start"))
    }

    @Test("times without an end are refused, for files, cameras and streams")
    func endless() throws {
        let clips = try Clips().moving("in.mkv", frames: 3)
        let path = clips("in.mkv")
        func refused(_ input: VideoInput, _ change: (inout VideoSegmentation.Options) -> Void) throws -> String {
            var options = VideoSegmentation.Options()
            change(&options)
            let videos = VideoSegmentation(try Clips.segmenter(), options: options, ffmpeg: try #require(Clips.ffmpeg))
            return message { try videos.run(input, to: []) }
        }
        let expected =
            "\(path): every has to be in 1...2147483647, start in 0...1000000000, duration above 0 and at most 1000000000 (leave it "
            + "out for the whole video), smoothing in 0...0.99."
        for seconds in [Double.infinity, .nan, 2e9] {
            for input in [VideoInput.file(path), .camera(path), .stream(path)] {
                #expect(try refused(input) { $0.duration = seconds } == expected)
                #expect(try refused(input) { $0.start = seconds } == expected)
            }
        }
    }

    @Test("outputs are refused before anything is read")
    func outputs() throws {
        let clips = try Clips().moving("in.mkv", frames: 3)
        func refused(_ output: VideoSegmentation.Output) -> String { message { try clips.run("in.mkv", to: [output]) } }
        #expect(
            refused(.video(.mask, path: clips("out.mp4")))
                == "\(clips("out.mp4")): masks are class ids, which only a lossless video keeps; choose a name that ends in .mkv."
        )
        #expect(
            refused(.video(.overlay(), path: clips("out.avi")))
                == "\(clips("out.avi")): videos are written as .mp4, .m4v, .mov or .mkv; choose a name with one of these endings."
        )
        #expect(
            refused(.video(.overlay(), path: clips("none/out.mp4")))
                == "\(clips("none/out.mp4")): cannot be written (No such file or directory); check the folder, its permissions and the free space."
        )
        #expect(
            refused(.video(.color, path: clips("../\(clips.folder.lastPathComponent)/in.mkv")))
                == "\(clips("../\(clips.folder.lastPathComponent)/in.mkv")): is the video that is read; choose another name for the result."
        )
        #expect(clips.files == ["in.mkv"])
        #expect(try clips.frames("in.mkv").count == 3)
    }

    @Test("a table of shares does not take the place of the video that is read")
    func sharesOverVideo() throws {
        let clips = try Clips().moving("in.mkv", frames: 3)
        let video = clips.folder.appending(path: "in.mkv")
        let before = try Data(contentsOf: video)
        #expect(
            message { try clips.run("in.mkv", to: [.shares(path: clips("in.mkv"))]) }
                == "\(clips("in.mkv")): is the video that is read; choose another name for the result."
        )
        #expect(try Data(contentsOf: video) == before)
        #expect(clips.files == ["in.mkv"])
    }

    @Test("limits on pixels, seconds and frames hold even if the file does not say how long it is")
    func limits() throws {
        let clips = try Clips()
        try clips.ffmpeg("-f lavfi -i testsrc2=size=64x48:rate=25 -frames:v 50 -c:v libx264 in.mp4")
        // A stream of bare frames says neither length nor count.
        try clips.ffmpeg("-i in.mp4 -c copy -f h264 bare.h264")
        func refused(_ name: String, _ change: (inout VideoSegmentation.Options) -> Void) -> String {
            message { try clips.run(name, to: [.video(.mask, path: clips("out.mkv"))], change) }
        }
        #expect(
            refused("in.mp4") { $0.maximumSeconds = 1.5 }
                == "\(clips("in.mp4")): lasts 2.0 s, but the limit is 1.5 s; cut it, or give a start and a duration."
        )
        #expect(
            refused("in.mp4") { $0.maximumFrames = 49 }
                == "\(clips("in.mp4")): has 50 frames or more, but the limit is 49; cut it, or use only every n-th frame."
        )
        #expect(
            refused("bare.h264") { $0.maximumFrames = 20 }
                == "\(clips("bare.h264")): has 21 frames or more, but the limit is 20; cut it, or use only every n-th frame."
        )
        #expect(refused("bare.h264") { $0.maximumSeconds = 1 }.contains("the limit is 1.0 s"))
        #expect(refused("in.mp4") { $0.maximumPixels = 64 * 48 - 1 } != "no error")
        #expect(refused("in.mp4") { $0.formats = "matroska,webm" } != "no error")
        #expect(!clips.files.contains("out.mkv"))
        let report = try clips.run("in.mp4", to: []) {
            $0.maximumFrames = 50
            $0.maximumSeconds = 2
            $0.maximumPixels = 64 * 48
            $0.formats = "mov,mp4"
        }
        #expect(report.frames == 50)
    }

    @Test("stopping leaves complete files with what is done, and the sound ends there")
    func stopped() throws {
        let clips = try Clips()
        try clips.ffmpeg(
            "-f lavfi -i testsrc2=size=32x24:rate=25 -f lavfi -i sine=frequency=440 -t 60 -c:v libx264 -c:a aac in.mp4"
        )
        let asked = SharedFlag()
        let outputs: [VideoSegmentation.Output] = [
            .video(.overlay(), path: clips("out.mp4")), .video(.mask, path: clips("out.mkv")),
            .shares(path: clips("out.csv")),
        ]
        let report = try clips.run(
            "in.mp4",
            to: outputs,
            shouldStop: { asked.isOn },
            each: { frame, _ in
                if frame.number == 20 { asked.turnOn() }
            }
        )
        #expect(report.isStopped && report.problem == nil)
        #expect(report.frames >= 21 && report.frames < 1500)
        for name in ["out.mp4", "out.mkv"] {
            #expect(try clips.times(name).count == report.frames)
            let length = try #require(try clips.duration(name))
            #expect(abs(length - Double(report.frames) / 25) < 0.1, "\(name) \(length)")
        }
        #expect(try clips.entries("out.mp4", "stream=codec_name", stream: "a") == ["aac"])
        let lines = try String(contentsOfFile: clips("out.csv"), encoding: .utf8).split(separator: "\r\n")
        #expect(lines.count == report.frames + 1)
        #expect(clips.files == ["in.mp4", "out.csv", "out.mkv", "out.mp4"])
    }

    @Test("frames of a live video are skipped while their taker is slow, and few results are held")
    func slowTaker() throws {
        let clips = try Clips().moving("in.mkv", frames: 200)
        let begun = SharedCount()
        var videos = VideoSegmentation(try Clips.segmenter(), ffmpeg: try #require(Clips.ffmpeg))
        videos.schedule = { work in
            begun.add()
            return try work()
        }
        var taken = 0
        let report = try videos.run(
            .stream(clips("in.mkv")),
            to: [],
            each: { _, _ in
                usleep(20_000)
                taken += 1
                // Two for each of two threads.
                #expect(begun.value <= taken + 4)
            }
        )
        #expect(report.frames == taken && report.frames + report.dropped == 200 && report.dropped > 0)
    }

    @Test("an error or a cancelled request leaves no file, and an older one unchanged")
    func failing() throws {
        struct Stop: Error {}
        let clips = try Clips().moving("in.mkv", frames: 30)
        try Data("older".utf8).write(to: clips.folder.appending(path: "out.mp4"))
        #expect(throws: Stop.self) {
            try clips.run(
                "in.mkv",
                to: [.video(.overlay(), path: clips("out.mp4")), .shares(path: clips("out.csv"))],
                each: { frame, _ in if frame.number == 5 { throw Stop() } }
            )
        }
        let asked = SharedFlag()
        let videos = VideoSegmentation(
            try Clips.segmenter(),
            Segmenter.Request(isCancelled: { asked.isOn }),
            ffmpeg: try #require(Clips.ffmpeg)
        )
        #expect(throws: CancellationError.self) {
            try videos.run(
                .file(clips("in.mkv")),
                to: [.video(.overlay(), path: clips("out.mp4"))],
                each: { frame, _ in if frame.number == 5 { asked.turnOn() } }
            )
        }
        #expect(clips.files == ["in.mkv", "out.mp4"])
        #expect(try Data(contentsOf: clips.folder.appending(path: "out.mp4")) == Data("older".utf8))
    }

    @Test("the error for a network that reads more than colours says what it reads")
    func inputs() throws {
        let clips = try Clips().moving("in.mkv", frames: 2)
        let network = Architectures.segNetBasic(
            classes: 3,
            options: ArchitectureOptions(
                input: InputDescription(channels: ["red", "green", "blue", "depth"], height: 24, width: 32),
                width: 0.25
            )
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 5))
        let videos = VideoSegmentation(
            try Segmenter(LoadedModel(model, name: "depth")),
            ffmpeg: try #require(Clips.ffmpeg)
        )
        #expect(
            message { try videos.run(.file(clips("in.mkv")), to: []) }
                == "\(clips("in.mkv")): a video has only colours, but the network reads rgb, depth; use a model that reads rgb or gray."
        )
    }

    @Test("the work of each frame can be queued elsewhere, and its error ends the run")
    func schedule() throws {
        struct Refused: Error {}
        let clips = try Clips().moving("in.mkv", frames: 9)
        var videos = VideoSegmentation(try Clips.segmenter(), ffmpeg: try #require(Clips.ffmpeg))
        let count = SharedCount()
        videos.schedule = { work in
            count.add()
            return try work()
        }
        #expect(try videos.run(.file(clips("in.mkv")), to: []).frames == 9)
        #expect(count.value == 9)
        videos.schedule = { _ in throw Refused() }
        #expect(throws: Refused.self) { try videos.run(.file(clips("in.mkv")), to: []) }
    }
}

/// A request to stop that several threads see.
final class SharedFlag: Sendable {
    private let state = Mutex(false)
    var isOn: Bool { state.withLock { $0 } }
    func turnOn() { state.withLock { $0 = true } }
}

final class SharedCount: Sendable {
    private let state = Mutex(0)
    var value: Int { state.withLock { $0 } }
    func add() { state.withLock { $0 += 1 } }
}
