import SegNetToolkit

/// One call of `segnet benchmark video`.
struct VideoBenchmark {
    struct Report: BenchmarkReport {
        /// Times of one way, over the rounds; seconds for all frames.
        struct Way: Encodable {
            var seconds: Times
            /// Seconds of work on all cores, in `segnet` and in ffmpeg.
            var processorSeconds: Times
            /// The part of it in ffmpeg.
            var ffmpegSeconds: Times

            init(_ passes: [VideoTimer.Pass]) {
                seconds = Times(passes.map(\.seconds))
                processorSeconds = Times(passes.map(\.processor))
                ffmpegSeconds = Times(passes.map(\.ffmpeg))
            }
        }

        var machine: Machine
        var instructionSet: String
        var threads: Int
        var repetitions: Int
        var video: String
        var frames: Int
        var width: Int
        var height: Int
        var model: String
        var bare: Way
        var overlay: Way

        var lines: [String] {
            var table = TextTable([
                ("", .left), ("ms a frame", .right), ("CPU ms a frame", .right), ("of it ffmpeg", .right),
            ])
            func text(_ seconds: Times) -> String { Numbers.fixed(1000 * seconds.median / Double(frames), 1) }
            for (name, way) in [("bare segmenter", bare), ("video to overlay", overlay)] {
                table.append([name, text(way.seconds), text(way.processorSeconds), text(way.ffmpegSeconds)])
            }
            func ratio(_ one: Double, _ other: Double) -> String { Numbers.fixed(one / max(other, 1e-9), 3) }
            let own = overlay.processorSeconds.median - overlay.ffmpegSeconds.median
            return [
                "\(machine.processor ?? "unknown processor"); \(instructionSet), \(counted(threads, "thread")), "
                    + "median of \(counted(repetitions, "round"))",
                "\(video): \(counted(frames, "frame")) of \(width)x\(height); \(model)",
            ] + table.lines + [
                "the video takes \(ratio(overlay.seconds.median, bare.seconds.median)) of the bare segmenter's time, "
                    + "\(ratio(overlay.processorSeconds.median, bare.processorSeconds.median)) of its CPU time "
                    + "(\(ratio(own, bare.processorSeconds.median)) without ffmpeg)"
            ]
        }
    }

    let options: BenchmarkVideo
    let console: Console

    func run() throws -> Report {
        let ffmpeg = try FFmpeg()
        let segmenter = try Segmenter(
            try options.model.load(),
            options: options.engine.segmenterOptions.serving(only: Segmenter.Request())
        )
        let timer = try VideoTimer(segmenter, .file(options.clip), ffmpeg: ffmpeg)
        let folder = try OutputFolder.temporary()
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = folder.appending(path: "clip.overlay.mp4").path(percentEncoded: false)
        let passes = try options.repetitions.rounds(on: console) {
            (bare: try timer.bare(), overlay: try timer.video(to: [.video(.overlay(), path: output)]))
        }
        return Report(
            machine: .current,
            instructionSet: segmenter.prepared.options.instructionSet.name,
            threads: options.engine.threadCount,
            repetitions: options.repetitions.repeat,
            video: RawFileName.display(options.clip),
            frames: timer.frameCount,
            width: timer.width,
            height: timer.height,
            model: options.model.name,
            bare: Report.Way(passes.map(\.bare)),
            overlay: Report.Way(passes.map(\.overlay))
        )
    }
}
