import ArgumentParser
import SegNetToolkit

struct BenchmarkVideo: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "video",
        abstract: "Compare segmenting a video file with segmenting its frames from memory.",
        discussion: """
            Each round segments the frames from memory, then the video file into an overlay. The difference is the cost of reading, \
            drawing and writing. All frames are kept in memory: a clip of a few seconds is enough. ffmpeg makes one:
              ffmpeg -f lavfi -i testsrc2=size=1280x720:rate=25 -frames:v 100 -pix_fmt yuv420p clip.mp4

            EXAMPLES:
              segnet benchmark video clip.mp4
              segnet benchmark video clip.mp4 --model segnet-basic-camvid --threads 1 --repeat 9 --json
            """
    )

    @Argument(help: ArgumentHelp("The video.", valueName: "file"), completion: .file())
    var clip: String

    @OptionGroup var model: ModelOptions

    @OptionGroup var repetitions: RepetitionOptions

    @OptionGroup var engine: EngineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run(on console: Console) throws {
        try VideoBenchmark(options: self, console: console).run().print(on: console, asJSON: json)
    }
}
