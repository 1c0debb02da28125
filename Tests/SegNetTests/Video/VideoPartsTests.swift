import Foundation
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("What videos are read and written with")
struct VideoPartsTests {
    private static func message(_ body: () throws(VideoError) -> Void) -> String {
        do throws(VideoError) { try body() } catch { return "\(error)" }
        return "no error"
    }

    /// Writes a program through another process. Had this one the file open while another test starts a process, that one would have it
    /// open too for a moment, and the program could not be started ("Text file busy").
    private static func write(_ program: Data, program path: String) throws {
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", #"cat > "$1" && chmod 755 "$1""#, "sh", path]
        let input = Pipe()
        shell.standardInput = input
        try shell.run()
        try input.fileHandleForWriting.write(contentsOf: program)
        try input.fileHandleForWriting.close()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
    }

    /// A folder with programs of these names, which print this.
    private func programs(_ names: [String], printing text: String) throws -> URL {
        try programs(names.map { ($0, "echo '\(text)'") })
    }

    /// A folder with programs and what they do.
    private func programs(_ programs: [(name: String, script: String)]) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "segnet-programs-\(UInt64.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, script) in programs {
            try Self.write(Data("#!/bin/sh\n\(script)\n".utf8), program: folder.appending(path: name).path)
        }
        return folder
    }

    private static let installation =
        "install it with 'apt-get install ffmpeg' (Debian, Ubuntu), 'dnf install ffmpeg' (Fedora) or 'brew install ffmpeg' (macOS)."

    @Test("a missing, old or wrong program is reported, with how to install it")
    func finding() throws {
        #expect(
            Self.message { () throws(VideoError) in _ = try FFmpeg(path: "/nowhere:") }
                == "ffmpeg: is not on PATH, but is needed to read and write videos; " + Self.installation
        )
        let half = try programs(["ffmpeg"], printing: "ffmpeg version 5.1")
        defer { try? FileManager.default.removeItem(at: half) }
        #expect(
            Self.message { () throws(VideoError) in _ = try FFmpeg(path: half.path) }
                == "ffprobe: is not on PATH, but is needed to read and write videos; " + Self.installation
        )
        let old = try programs(
            ["ffmpeg", "ffprobe"],
            printing: "ffmpeg version 4.2.7-0ubuntu0.1 Copyright (c) 2000-2022"
        )
        defer { try? FileManager.default.removeItem(at: old) }
        #expect(
            Self.message { () throws(VideoError) in _ = try FFmpeg(path: "/nowhere:\(old.path)") }
                == "ffmpeg: has the version 4.2.7-0ubuntu0.1, but videos need 4.4 or newer; " + Self.installation
        )
        let other = try programs(["ffmpeg", "ffprobe"], printing: "hello")
        defer { try? FileManager.default.removeItem(at: other) }
        #expect(
            Self.message { () throws(VideoError) in _ = try FFmpeg(path: other.path) }
                == "\(other.path)/ffmpeg: does not answer 'ffmpeg -version' as ffmpeg does; " + Self.installation
        )
        let new = try programs(["ffmpeg", "ffprobe"], printing: "ffmpeg version n7.1 Copyright")
        defer { try? FileManager.default.removeItem(at: new) }
        #expect(try FFmpeg(path: new.path).keepingTimes == ["-fps_mode", "passthrough"])
    }

    @Test(
        "versions are compared by their numbers; builds between versions count as new",
        arguments: [
            ("5.1.9-0+deb12u1", 5, 1), ("4.4.2-0ubuntu0.22.04.1", 4, 4), ("n6.1", 6, 1), ("10.0", 10, 0), ("7", 7, 0),
        ]
    )
    func versions(text: String, major: Int, minor: Int) throws {
        let number = try #require(FFmpeg.number(text))
        #expect(number == (major, minor))
        #expect(FFmpeg.number("N-109468-gd39b34123d") == nil && FFmpeg.number("git-2020-01-01") == nil)
    }

    @Test(
        "words name videos, and results are named after them",
        arguments: [
            ("trip/clip.mp4", "trip/clip.mp4", "clip", false), ("a.b.MOV", "a.b.MOV", "a.b", false),
            ("/dev/video0", "/dev/video0", "video0", true),
            (
                "rtsp://user:secret@cam.local/live/1?token=a", "rtsp://cam.local/live/1?token=a", "cam.local-live-1",
                true
            ),
            ("http://[::1]:80/x", "http://[::1]:80/x", "___1__80-x", true),
        ]
    )
    func inputs(word: String, name: String, stem: String, isLive: Bool) throws {
        let input = try #require(VideoInput(word))
        #expect(input.name == name && input.stem == stem && input.isLive == isLive)
    }

    @Test(
        "other words do not name videos",
        arguments: ["photo.jpg", "folder", "-", "list.txt", "mp4", ".mp4", "ftp://a/b.mp4x", "file://a"]
    )
    func noInputs(word: String) { #expect(VideoInput(word) == nil) }

    @Test(
        "fractions are what files say, and nothing for 0/0",
        arguments: [("30000/1001", 30000, 1001), ("16:9", 16, 9)]
    )
    func fractions(text: String, numerator: Int, denominator: Int) throws {
        #expect(Fraction(text) == Fraction(numerator, denominator))
        #expect(Fraction(text)?.inverse == Fraction(denominator, numerator))
        for none in ["0/0", "1/0", "25", "", "a/b", "-1/2", "1/2/3"] { #expect(Fraction(none) == nil, "\(none)") }
    }

    // MARK: Descriptions

    private static let version = "[ \"$1\" = -version ] && { echo ffmpeg version 7.0 test; exit; }"

    @Test("a description longer than a pipe holds is read while ffprobe is still given its input")
    func longDescription() throws {
        let folder = try programs([
            ("ffmpeg", Self.version),
            ("ffprobe", "head -c 3000000 /dev/zero | tr '\\0' ' '\necho '{\"streams\": []}'\ncat >/dev/null"),
        ])
        defer { try? FileManager.default.removeItem(at: folder) }
        let ffmpeg = try FFmpeg(path: folder.path)
        let told = Mutex("")
        let done = DispatchSemaphore(value: 0)
        // On a thread of its own: should it hang, this test still ends.
        Thread {
            let text = Self.message { () throws(VideoError) in
                _ = try OpenedVideo.look("in", ffmpeg, [], .pipe) { process in
                    for _ in 0..<64 where !process.write([UInt8](repeating: 1, count: 1 << 16)) { break }
                    process.closeInput()
                }
            }
            told.withLock { $0 = text }
            done.signal()
        }.start()
        #expect(done.wait(timeout: .now() + 120) == .success, "both wait for each other")
        #expect(told.withLock { $0 } == "in: holds no pictures, perhaps only sound; give a video.")
    }

    /// The times of a video's frames, whose lines ffmpeg prints.
    private func times(_ lines: [String], rate: String, unit: String) throws -> [Int] {
        let video =
            #"{"codec_type": "video", "width": 8, "height": 6, "avg_frame_rate": "\#(rate)", "time_base": "\#(unit)"}"#
        let folder = try programs([
            (
                "ffmpeg",
                "\(Self.version)\nprintf '\(lines.joined(separator: "\\n"))\\n' >&3\nhead -c \(144 * lines.count) /dev/zero"
            ),
            ("ffprobe", "echo '{\"streams\": [\(video)]}'"),
        ])
        defer { try? FileManager.default.removeItem(at: folder) }
        let opened = try OpenedVideo(.file("in.mp4"), try FFmpeg(path: folder.path), VideoSegmentation.Options())
        let reader = try VideoReader(opened, VideoPart())
        var times: [Int] = []
        while let frame = try reader.next() { times.append(frame.time) }
        return times
    }

    @Test("times that no clock counts to are damage: such frames follow at even intervals")
    func latestTimes() throws {
        let lines = [
            "frame:0 pts:9223372036854775807", "frame:1 pts:NOPTS", "frame:2 pts:7", "frame:3 pts:9223372036854775806",
            "frame:4 pts:20", "frame:5 pts:4611686018427387904",
        ]
        #expect(try times(lines, rate: "5/1", unit: "1/10") == [0, 2, 7, 9, 20, 22])
        // A frame in 68 years, counted in halves of nanoseconds: the third's time would be 2^63.
        let longest = "\(Int32.max)"
        let none = ["frame:0", "frame:1", "frame:2"]
        #expect(throws: VideoError("in.mp4", .unreadable("its times are too large"))) {
            try times(none, rate: "1/\(longest)", unit: "1/\(longest)")
        }
    }

    @Test(
        "the bits of a sample are known for every format that the installed ffmpeg has",
        .enabled(if: Clips.ffmpeg != nil, Clips.missing)
    )
    func bitsOfInstalled() throws {
        let ffmpeg = try #require(Clips.ffmpeg).ffmpeg
        let clips = try Clips()
        let (_, data, _) = try Clips.run(ffmpeg, ["-hide_banner", "-pix_fmts"], in: clips.folder)
        // `IO... yuv420p10le            3             15      10-10-10`; old versions do not say the last.
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
        var count = 0
        for words in lines where words.count == 5 && Int(words[2]) != nil {
            // Formats that stay in a graphics card have no bits, and Bayer patterns fewer than they are stored with.
            let bits = words[4].split(separator: "-").compactMap { Int($0) }.max() ?? 0
            guard bits > 0, !words[1].hasPrefix("bayer") else { continue }
            #expect(VideoDescription.bits(ofFormat: String(words[1])) == max(8, bits), "\(words[1])")
            count += 1
        }
        #expect(count == 0 || count > 100)
    }

    @Test(
        "and for some of all kinds",
        arguments: [
            ("yuv420p", 8), ("yuv410p", 8), ("nv12", 8), ("nv16", 8), ("nv20le", 10), ("rgb24", 8), ("rgb565le", 8),
            ("pal8", 8), ("rgb4_byte", 8), ("yuyv422", 8), ("vyu444", 8), ("unknown", 8), ("", 8), ("yuv420p9be", 9),
            ("p010le", 10), ("y210le", 10), ("x2rgb10le", 10), ("xv30le", 10), ("v30xle", 10), ("gbrp10msbbe", 10),
            ("xyz12le", 12), ("xv36be", 12), ("gray14le", 14), ("rgb48le", 16), ("bgra64be", 16), ("ya16le", 16),
            ("p416le", 16), ("gbrapf32le", 32), ("rgb96le", 32), ("rgba128be", 32),
        ]
    )
    func bits(format: String, bits: Int) { #expect(VideoDescription.bits(ofFormat: format) == bits) }

    @Test("ffmpeg's first problem is reported without the places in its own code")
    func problems() {
        #expect(
            FFmpeg.firstProblem("[mov,mp4 @ 0x55aa] moov atom not found\na.mp4: Invalid data\n")
                == "moov atom not found"
        )
        #expect(FFmpeg.firstProblem("a.mp4: Invalid data found.\n", without: "a.mp4") == "Invalid data found")
        #expect(FFmpeg.firstProblem("\n\n") == "")
        #expect(FFmpeg.firstProblem(String(repeating: "x", count: 900)).count == 200)
    }

    // MARK: Smoothing

    private func map(_ first: [Float]) -> FloatMap { FloatMap(shape: [2, 2, 2], values: first + first.map { 1 - $0 }) }

    private func picture(_ values: [UInt8]) throws -> Image {
        try Image(width: 2, height: 2, channels: 3, pixels: values.flatMap { [$0, $0, $0] })
    }

    @Test(
        "where the picture stays, probabilities are averages; where it moves, and after a cut, they are those of the frame"
    )
    func smoothing() throws {
        var smoothing = TemporalSmoothing(strength: 0.5)
        let first = smoothing.add(map([1, 1, 1, 1]), try picture([100, 100, 100, 100]))
        #expect(first.mean == map([1, 1, 1, 1]) && !first.isCut)
        // The second pixel has changed by 40, the third by 20 of 8...32, the fourth by what a codec's noise does.
        let second = smoothing.add(map([0, 0, 0, 0]), try picture([100, 140, 120, 103]))
        #expect(!second.isCut)
        let means: [Float] = [0.5, 0, 0.25, 0.5, 0.5, 1, 0.75, 0.5]
        for (found, expected) in zip(second.mean.values, means) { #expect(abs(found - expected) < 1e-6) }
        // Averages of averages: frames of long ago count less.
        let third = smoothing.add(map([0, 0, 0, 0]), try picture([100, 140, 120, 103]))
        #expect(abs(third.mean.values[0] - 0.25) < 1e-6)
        let cut = smoothing.add(map([1, 0, 1, 0]), try picture([250, 5, 240, 10]))
        #expect(cut.isCut && cut.mean == map([1, 0, 1, 0]))
    }

    @Test("a cut is another scene, not a pan, a change of light or a moving thing")
    func cuts() throws {
        func scene(_ shift: Int, light: Int = 0, seed: UInt64 = 1, car: Int = -100) throws -> Image {
            var random = RandomNumbers(seed: seed)
            // Wide stripes of a few colours, like a street with houses.
            let stripes = (0..<40).map { _ in (0..<3).map { _ in Int(random.next() % 200) } }
            var pixels: [UInt8] = []
            for y in 0..<72 {
                for x in 0..<128 {
                    let isCar = (car..<car + 30).contains(x) && (40..<60).contains(y)
                    let color = isCar ? [250, 250, 250] : stripes[(x + shift) / 8 % 40]
                    pixels += color.map { UInt8(min(255, $0 + light)) }
                }
            }
            return try Image(width: 128, height: 72, channels: 3, pixels: pixels)
        }
        var detector = CutDetector()
        #expect(!detector.add(try scene(0)))
        #expect(!detector.add(try scene(0)))
        #expect(!detector.add(try scene(4)))
        #expect(!detector.add(try scene(10)))
        #expect(!detector.add(try scene(10, light: 20)))
        #expect(!detector.add(try scene(10, light: 20, car: 20)))
        #expect(!detector.add(try scene(10, light: 20, car: 60)))
        #expect(detector.add(try scene(0, seed: 9)))
        #expect(!detector.add(try scene(0, seed: 9)))
        // Another size says nothing about scenes.
        #expect(!detector.add(try Image(width: 5, height: 5, channels: 3)))
    }

    @Test(
        "in a video, smoothing reduces flicker and starts again at a cut",
        .enabled(if: Clips.ffmpeg != nil, Clips.missing)
    )
    func smoothedVideo() throws {
        let clips = try Clips()
        // A still picture with weak noise, then another.
        try clips.ffmpeg(
            "-f lavfi -i mandelbrot=size=32x24:rate=25:start_scale=3:end_scale=3 -frames:v 1 -c:v ffv1 -pix_fmt bgr0 a.mkv"
        )
        for (name, source) in [("one", "smptebars"), ("two", "yuvtestsrc")] {
            try clips.ffmpeg(
                "-f lavfi -i \(source)=size=32x24:rate=25 -frames:v 20 -vf format=gbrp,noise=alls=6:allf=t -c:v ffv1 -pix_fmt gbrp \(name).mkv"
            )
        }
        try Data("file one.mkv\nfile two.mkv\n".utf8).write(to: clips.folder.appending(path: "list.txt"))
        try clips.ffmpeg("-f concat -i list.txt -c copy in.mkv")
        func run(_ smoothing: Double) throws -> (masks: [[UInt16]], cuts: [Int], report: VideoSegmentation.Report) {
            var masks: [[UInt16]] = []
            var cuts: [Int] = []
            let report = try clips.run("in.mkv", to: []) {
                $0.smoothing = smoothing
            } each: { frame, _ in
                masks.append(frame.segmentation.classes.ids)
                if frame.isCut { cuts.append(frame.number) }
            }
            return (masks, cuts, report)
        }
        func flicker(_ masks: [[UInt16]]) -> Int {
            var count = 0
            for index in 1..<masks.count where index != 20 {
                for (a, b) in zip(masks[index - 1], masks[index]) where a != b { count += 1 }
            }
            return count
        }
        let (alone, smooth) = (try run(0), try run(0.8))
        #expect(alone.cuts.isEmpty && alone.report.cuts == nil)
        #expect(smooth.cuts == [20] && smooth.report.cuts == 1)
        #expect(flicker(alone.masks) > 0, "masks that are still would prove nothing")
        #expect(flicker(smooth.masks) * 2 < flicker(alone.masks), "\(flicker(smooth.masks)) \(flicker(alone.masks))")
        // The first frames of the two scenes are each by themselves.
        #expect(smooth.masks[0] == alone.masks[0] && smooth.masks[20] == alone.masks[20])
    }
}
