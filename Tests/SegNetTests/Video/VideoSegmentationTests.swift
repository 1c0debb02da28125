import Foundation
import SegNetToolkit
import Synchronization
import Testing

@testable import SegNet

@Suite("Videos through a segmenter", .enabled(if: Clips.ffmpeg != nil, Clips.missing), .timeLimit(.minutes(30)))
struct VideoSegmentationTests {
    /// The colours of a lossless video's frames.
    private func images(_ clips: Clips, _ name: String, _ width: Int, _ height: Int) throws -> [Image] {
        try clips.frames(name).map { try Image(width: width, height: height, channels: 3, pixels: $0) }
    }

    @Test(
        "masks equal those of the segmenter alone, frame by frame, at any size",
        arguments: [(32, 24), (64, 48), (41, 29), (7, 5)]
    )
    func masks(width: Int, height: Int) throws {
        let clips = try Clips().moving("in.mkv", size: "\(width)x\(height)")
        let report = try clips.run("in.mkv", to: [.video(.mask, path: clips("out.mkv"))])
        let segmenter = try Clips.segmenter()
        let expected = try images(clips, "in.mkv", width, height).map {
            try segmenter.segment($0).classes.ids.map { UInt8($0) }
        }
        #expect(try clips.frames("out.mkv", channels: 1) == expected)
        #expect(expected.count == 12 && report.frames == 12)
        if width > 7 { #expect(Set(expected.joined()).count > 1, "masks of one class would prove nothing") }
        #expect(try clips.times("out.mkv") == clips.times("in.mkv"))
        #expect(
            try clips.entries("out.mkv", "stream=codec_name,width,height,pix_fmt") == ["ffv1,\(width),\(height),gray"]
        )
        #expect(report.shares.map(\.pixels).reduce(0, +) == 12 * width * height)
        #expect(clips.files == ["in.mkv", "out.mkv"])
    }

    @Test("more than 256 classes have 16 bits")
    func manyClasses() throws {
        let clips = try Clips().moving("in.mkv", frames: 3)
        let network = Architectures.segNetBasic(
            classes: 300,
            options: ArchitectureOptions(input: .bgr255(height: 24, width: 32), width: 0.25)
        )
        let model = Model(network: network, weights: try Weights.initial(for: network, seed: 5))
        let segmenter = try Segmenter(LoadedModel(model, name: "many"))
        let videos = VideoSegmentation(segmenter, ffmpeg: try #require(Clips.ffmpeg))
        try videos.run(.file(clips("in.mkv")), to: [.video(.mask, path: clips("out.mkv"))])
        #expect(try clips.entries("out.mkv", "stream=pix_fmt") == ["gray16le"])
        try clips.ffmpeg("-i out.mkv -f rawvideo -pix_fmt gray16le out.raw")
        let raw = try [UInt8](Data(contentsOf: clips.folder.appending(path: "out.raw")))
        let first = try segmenter.segment(try images(clips, "in.mkv", 32, 24)[0]).classes.ids
        let stored: [UInt16] = (0..<32 * 24).map { index in UInt16(raw[2 * index]) | UInt16(raw[2 * index + 1]) << 8 }
        #expect(first == stored)
        #expect((first.max() ?? 0) > 255, "ids of 8 bits would prove nothing")
    }

    @Test("each frame keeps its time if rates vary, and the first its delay", arguments: ["mp4", "mov", "mkv"])
    func variableRate(ending: String) throws {
        let clips = try Clips()
        // Frames come faster and faster, the first late, with a sound from the beginning.
        try clips.ffmpeg(
            "-f lavfi -i testsrc2=size=32x24:rate=30000/1001 -f lavfi -i sine=frequency=440:duration=2 -frames:v 20 "
                + "-vf setpts=(6000+N*3003+N*N*40)/30000/TB,settb=1/30000 -vsync passthrough -enc_time_base 1/30000 "
                + "-c:v libx264 -bf 2 -c:a aac -video_track_timescale 30000 in.mp4"
        )
        try clips.run("in.mp4", to: [.video(.overlay(), path: clips("out.\(ending)"))])
        let (before, after) = (try clips.times("in.mp4"), try clips.times("out.\(ending)"))
        #expect(before.count == 20 && after.count == 20)
        #expect((before.first ?? 0) > 0.1, "a video that begins at 0 would prove nothing")
        // Matroska counts milliseconds and has no times below 0. AAC begins 1024 samples early, so everything is moved by that much.
        let tolerance = ending == "mkv" ? 0.0011 : 0.00002
        let moved = ending == "mkv" ? (after.first ?? 0) - (before.first ?? 0) : 0
        #expect((0..<0.025).contains(moved))
        for (a, b) in zip(before, after) { #expect(abs(a + moved - b) < tolerance, "\(a) \(b)") }
        let steps = zip(before, before.dropFirst()).map { (next: (Double, Double)) in
            ((next.1 - next.0) * 1000).rounded()
        }
        #expect(Set(steps).count > 2)
    }

    @Test("a film's rate is that of the result", arguments: ["25", "30000/1001", "24000/1001"], ["mp4", "mkv"])
    func constantRate(rate: String, ending: String) throws {
        let clips = try Clips()
        try clips.ffmpeg("-f lavfi -i testsrc2=size=32x24:rate=\(rate) -frames:v 30 -c:v libx264 in.mp4")
        try clips.run("in.mp4", to: [.video(.overlay(), path: clips("out.\(ending)"))])
        let tolerance = ending == "mkv" ? 0.0011 : 0.00002
        for (a, b) in zip(try clips.times("in.mp4"), try clips.times("out.\(ending)")) {
            #expect(abs(a - b) < tolerance)
        }
        #expect(
            try clips.entries("in.mp4", "stream=avg_frame_rate")
                == clips.entries("out.\(ending)", "stream=avg_frame_rate")
        )
        let expected = 30 / Self.number(rate)
        for name in ["in.mp4", "out.\(ending)"] {
            let length = try #require(try clips.duration(name))
            #expect(abs(length - expected) < 0.05, "\(name): \(length)")
        }
    }

    private static func number(_ rate: String) -> Double {
        let parts = rate.split(separator: "/").compactMap { Double($0) }
        return parts.count == 2 ? parts[0] / parts[1] : parts[0]
    }

    @Test("a phone's video is turned the right way up", arguments: [90, 180, 270])
    func rotated(degrees: Int) throws {
        let clips = try Clips()
        try clips.ffmpeg(
            "-f lavfi -i testsrc2=size=64x48:rate=25 -frames:v 4 -c:v libx264 -qp 0 -pix_fmt yuv444p flat.mp4"
        )
        try clips.ffmpeg("-i flat.mp4 -c copy -metadata:s:v rotate=\(degrees) in.mp4")
        let stored = try #require(try clips.entries("in.mp4", "stream=width,height").first)
        #expect(stored == "64,48")
        let report = try clips.run("in.mp4", to: [.video(.overlay(opacity: 0), path: clips("out.mp4"))])
        let isOnItsSide = degrees != 180
        #expect((report.video.width, report.video.height) == (isOnItsSide ? (48, 64) : (64, 48)))
        #expect(report.video.rotation != 0)
        #expect(try clips.entries("out.mp4", "stream=width,height").first == (isOnItsSide ? "48,64" : "64,48"))
        // Nothing says that it is to be turned once more.
        #expect(try clips.entries("out.mp4", "stream_side_data=rotation").isEmpty)
        // ffmpeg turns frames when it shows them.
        for (a, b) in zip(try clips.frames("in.mp4"), try clips.frames("out.mp4")) { #expect(difference(a, b) < 9) }
    }

    /// The mean difference of two pictures.
    private func difference(_ first: [UInt8], _ second: [UInt8]) -> Double {
        guard first.count == second.count, !first.isEmpty else { return 255 }
        var sum = 0
        for (a, b) in zip(first, second) { sum += abs(Int(a) - Int(b)) }
        return Double(sum) / Double(first.count)
    }

    @Test(
        "colours do not change, and neither do the files' declarations of them",
        arguments: [
            ("yuv420p", "tv", "bt709"), ("yuv420p", "pc", "bt709"), ("yuv420p", "tv", "smpte170m"),
            ("yuv420p", "tv", "bt470bg"),
            ("yuvj420p", "pc", "bt470bg"), ("yuv444p", "tv", "bt2020nc"), ("yuv420p", "tv", ""),
            ("yuv420p10le", "tv", "bt709"),
        ]
    )
    func colors(format: String, range: String, space: String) throws {
        let clips = try Clips()
        let tags =
            space.isEmpty ? "" : "-colorspace \(space) -color_primaries bt709 -color_trc bt709 -color_range \(range)"
        // Large areas of one colour, which half the colour resolution does not change.
        try clips.ffmpeg(
            "-f lavfi -i smptebars=size=96x64:rate=25 -frames:v 5 -vf scale=out_color_matrix=\(space == "bt2020nc" ? "bt2020" : space == "bt709" ? "bt709" : "bt601"):out_range=\(range),format=\(format) "
                + "-c:v libx264 -qp 1 \(tags) in.mp4"
        )
        let report = try clips.run("in.mp4", to: [.video(.overlay(opacity: 0), path: clips("out.mp4"))])
        for (a, b) in zip(try clips.frames("in.mp4"), try clips.frames("out.mp4")) {
            // Edges lose some of their colour.
            #expect(difference(a, b) < 5, "\(difference(a, b))")
        }
        let said = "stream=color_range,color_space,color_transfer,color_primaries"
        #expect(try clips.entries("out.mp4", said) == clips.entries("in.mp4", said))
        #expect(report.notes.isEmpty == !format.hasSuffix("10le"))
        if format.hasSuffix("10le") {
            #expect(
                report.notes == [
                    "\(clips("in.mp4")) has 10 bits per sample; the network reads 8, and the video that is written has 8."
                ]
            )
        }
    }

    @Test("colours are steady: no frame of a still video differs from the first")
    func steady() throws {
        let clips = try Clips()
        try clips.ffmpeg("-f lavfi -i smptebars=size=96x64:rate=25 -frames:v 60 -c:v libx264 -qp 10 in.mp4")
        try clips.run("in.mp4", to: [.video(.overlay(), path: clips("out.mp4"))])
        let frames = try clips.frames("out.mp4")
        #expect(frames.count == 60)
        for frame in frames { #expect(difference(frame, frames[0]) < 1.5) }
    }

    @Test(
        "odd sizes and pixels that are not square stay",
        arguments: [("33x25", "1:1"), ("32x24", "4:3"), ("31x24", "16:11")]
    )
    func sizes(size: String, shape: String) throws {
        let clips = try Clips()
        try clips.moving("in.mkv", size: size, frames: 4, more: "-vf setsar=\(shape.replacing(":", with: "/"))")
        let report = try clips.run("in.mkv", to: [.video(.overlay(), path: clips("out.mp4"))])
        let said = "stream=width,height,sample_aspect_ratio"
        #expect(try clips.entries("out.mp4", said) == [size.replacing("x", with: ",") + ",\(shape)"])
        #expect(report.notes.contains { $0.contains("has an odd side; the size is kept") } == !size.hasPrefix("32"))
    }

    @Test(
        "sound is kept: copied if the file can hold it, and encoded if not",
        arguments: [
            ("aac", "mp4", "aac"), ("libopus", "mkv", "opus"), ("libopus", "mp4", "aac"),
            ("pcm_s16le", "mov", "pcm_s16le"),
        ]
    )
    func sound(encoder: String, ending: String, codec: String) throws {
        let clips = try Clips()
        try clips.ffmpeg(
            "-f lavfi -i testsrc2=size=32x24:rate=25 -f lavfi -i sine=frequency=440 -t 2 -c:v libx264 -c:a \(encoder) in.mkv"
        )
        try clips.run(
            "in.mkv",
            to: [.video(.overlay(), path: clips("out.\(ending)")), .video(.mask, path: clips("mask.mkv"))]
        )
        #expect(try clips.entries("out.\(ending)", "stream=codec_name", stream: "a") == [codec])
        #expect(try clips.entries("mask.mkv", "stream=codec_name", stream: "a").isEmpty)
        let before = try #require(try clips.duration("in.mkv"))
        let after = try #require(try clips.duration("out.\(ending)"))
        #expect(abs(before - after) < 0.06, "\(before) \(after)")
    }

    @Test("parts: every n-th frame, from a start, for a duration, with the right numbers, times and sound")
    func parts() throws {
        let clips = try Clips()
        try clips.ffmpeg(
            "-f lavfi -i testsrc2=size=128x96:rate=25 -f lavfi -i sine=frequency=440 -t 4 -g 10 -c:v libx264 -qp 0 -c:a aac in.mp4"
        )
        var seen: [(Int, Double)] = []
        var totals: Set<Int?> = []
        let report = try clips.run(
            "in.mp4",
            to: [.video(.overlay(opacity: 0), path: clips("out.mp4")), .shares(path: clips("out.csv"))]
        ) {
            $0.every = 5
            $0.start = 1.4
            $0.duration = 2
        } each: {
            seen.append(($0.number, $0.seconds))
            totals.insert($1.total)
        }
        #expect(report.frames == 10 && totals == [10])
        let numbers = (0..<10).map { 5 * $0 }
        #expect(seen.map(\.0) == numbers)
        for (index, (_, seconds)) in seen.enumerated() { #expect(abs(seconds - Double(index) / 5) < 0.001) }
        let all = try clips.frames("in.mp4")
        for (index, frame) in try clips.frames("out.mp4").enumerated() {
            // 1.4 s are 35 frames.
            #expect(difference(frame, all[35 + 5 * index]) < difference(frame, all[34 + 5 * index]))
        }
        let length = try #require(try clips.duration("out.mp4"))
        #expect(abs(length - 2) < 0.1, "\(length)")
        let lines = try String(contentsOfFile: clips("out.csv"), encoding: .utf8).split(separator: "\r\n")
        let segmenter = try Clips.segmenter()
        #expect(lines.count == 11)
        #expect(
            lines[0].hasPrefix("frame,seconds,") && lines[0].split(separator: ",").count == 2 + segmenter.classCount
        )
        #expect(lines[2].hasPrefix("5,0.200000,"))
        for line in lines.dropFirst() {
            let shares: [Double] = line.split(separator: ",").dropFirst(2).compactMap { Double($0) }
            let sum = shares.reduce(0, +)
            #expect(abs(sum - 1) < 1e-5)
        }
    }

    @Test("a PNG for each frame, named by its number")
    func pictures() throws {
        let clips = try Clips().moving("in.mkv", size: "41x29", frames: 7)
        try clips.run(
            "in.mkv",
            to: [.pictures(.mask, folder: clips("masks")), .pictures(.overlay(), folder: clips("masks"))]
        ) {
            $0.every = 3
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: clips("masks")).sorted()
        let expectedNames = ["000000", "000003", "000006"].flatMap { ["\($0).mask.png", "\($0).overlay.png"] }
        #expect(names == expectedNames)
        let image = try images(clips, "in.mkv", 41, 29)[3]
        let expected = try Clips.segmenter().segment(image)
        #expect(try LabelMap(path: clips("masks/000003.mask.png")) == expected.classes)
        #expect(try Image(path: clips("masks/000003.overlay.png")) == expected.overlay())
    }
}
