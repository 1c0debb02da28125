internal import SegNetImages
internal import SegNetPlatform

/// A video through `VideoSegmentation`, and the same frames from memory through the bare segmenter: what reading, drawing and writing cost
/// in addition to the network.
package struct VideoTimer {
    /// The time it took to do all frames once.
    package struct Pass: Sendable, Hashable, Codable {
        /// By the clock.
        package var seconds: Double
        /// Seconds of work in this process, on all cores.
        package var own: Double
        /// The same in ffmpeg.
        package var ffmpeg: Double

        /// Seconds of work in both, on all cores.
        package var processor: Double { own + ffmpeg }
    }

    package let width: Int
    package let height: Int
    package var frameCount: Int { images.count }

    private let segmenter: Segmenter
    private let ffmpeg: FFmpeg
    private let input: VideoInput
    private let images: [Image]

    /// Bytes of frames that are kept in memory.
    private static let mostBytes = 2 << 30

    /// Reads all frames into memory.
    /// - Throws: `VideoError` if it cannot be read, or has more frames than fit.
    package init(_ segmenter: Segmenter, _ input: VideoInput, ffmpeg: FFmpeg) throws {
        let video = try OpenedVideo(input, ffmpeg, VideoSegmentation.Options())
        let reader = try VideoReader(video, VideoPart())
        (width, height) = (video.description.width, video.description.height)
        var images: [Image] = []
        while let frame = try reader.next() {
            images.append(frame.image)
            guard images.count * width * height * 3 <= Self.mostBytes else {
                throw VideoError(
                    input.name,
                    .request(
                        "has more than \(Self.mostBytes >> 20) MiB of frames, which are kept in memory here; give a shorter clip"
                    )
                )
            }
        }
        guard !images.isEmpty else { throw VideoError(input.name, .noFrames(reader.problems())) }
        self.images = images
        self.segmenter = segmenter
        self.input = input
        self.ffmpeg = ffmpeg
    }

    /// The frames from memory, as many at once as in a video.
    package func bare() throws -> Pass {
        try Self.measured {
            try SegmentationPipeline(segmenter) { (index: Int, request) in try segmenter.segment(images[index], request)
            }
            .run(Array(images.indices)) { _, result in _ = try result.get() }
        }
    }

    /// The video from its file, with its results.
    package func video(to outputs: [VideoSegmentation.Output]) throws -> Pass {
        try Self.measured { try VideoSegmentation(segmenter, ffmpeg: ffmpeg).run(input, to: outputs) }
    }

    private static func measured(_ body: () throws -> Void) rethrows -> Pass {
        let (own, children, start) = (ProcessorTime.own, ProcessorTime.children, ContinuousClock.now)
        try body()
        return Pass(
            seconds: (ContinuousClock.now - start).inSeconds,
            own: ProcessorTime.own - own,
            ffmpeg: ProcessorTime.children - children
        )
    }
}
