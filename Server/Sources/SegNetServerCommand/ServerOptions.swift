import ArgumentParser
import SegNetServer
import SegNetToolkit

/// All options of the server: each is declared once, here. The environment knows them as SEGNET_SERVER_MAX_QUEUE for `--max-queue`.
struct ServerOptions: ParsableArguments {
    @Option(
        each: \.models,
        .text("file", .file(extensions: ["safetensors"])),
        "A .safetensors file, or NAME=FILE to choose what clients call it; can be repeated."
    )
    var model: [SettingChange]

    @Flag(inversion: .prefixedNo, help: "Also serve the models that come with the package. (default: --bundled)")
    var bundled: Bool?

    @Option(\.configuration.host, .text("address"), "The address to listen on; 0.0.0.0 for all.")
    var host: SettingChange?

    @Option(\.configuration.port, .number(0...65535, "number"), "The port; 0 lets the system choose.")
    var port: SettingChange?

    @Option(
        \.configuration.segmenter.threads,
        .number(1...1024),
        "Threads that compute one picture. (default: all cores)"
    )
    var threads: SettingChange?

    @Option(
        \.configuration.workers,
        .number(1...1024),
        "Pictures in progress at once. (default: two more than the number of networks that fit on the cores)"
    )
    var workers: SettingChange?

    @Option(\.configuration.segmenter.precision, .choice("type"), "How weights are stored.")
    var precision: SettingChange?

    @Option(
        \.configuration.segmenter.accuracy,
        .choice("level"),
        "As in 'segnet predict': one of fast, accurate, exact. (default: fast, or what SEGNET_ACCURACY names)"
    )
    var accuracy: SettingChange?

    @Option(\.configuration.limits.queue, .number(0...1_000_000), "Requests that may wait; beyond that 503.")
    var maxQueue: SettingChange?

    @Option(\.configuration.limits.bytes, .number(1...(1 << 31)), "Bytes of a request; beyond that 413.")
    var maxBytes: SettingChange?

    @Option(\.configuration.limits.pixels, .number(1...1_000_000_000), "Pixels of a picture; beyond that 413.")
    var maxPixels: SettingChange?

    @Option(
        \.configuration.limits.runPixels,
        .number(1...1_000_000_000),
        "Pixels that a network runs on with size=native or WxH; beyond that 413."
    )
    var maxRunPixels: SettingChange?

    @Option(
        \.configuration.videos.bytes,
        .number(0...(1 << 31)),
        "Bytes of a video; beyond that 413. 0 takes none. Videos need ffmpeg."
    )
    var maxVideoBytes: SettingChange?

    @Option(\.configuration.videos.seconds, .number(1...86400), "Length of a video in seconds; beyond that 413.")
    var maxVideoSeconds: SettingChange?

    @Option(\.configuration.videos.frames, .number(1...1_000_000), "Frames of a video; beyond that 413.")
    var maxVideoFrames: SettingChange?

    @Option(
        \.configuration.videos.count,
        .number(1...10_000),
        "Videos that wait, run, or have a result; beyond that 503."
    )
    var maxVideos: SettingChange?

    @Option(
        \.configuration.videos.diskBytes,
        .number(1...(1 << 50)),
        "Bytes that videos and results take on disk; beyond that 503."
    )
    var maxVideoDiskBytes: SettingChange?

    @Option(\.configuration.limits.connections, .number(1...1_000_000), "Open connections; further ones wait.")
    var maxConnections: SettingChange?

    @Option(
        \.configuration.limits.deadline,
        .seconds(0.001...86400),
        "Time from a request's last byte to its answer; beyond that 504."
    )
    var deadline: SettingChange?

    @Option(
        \.configuration.limits.receiveTime,
        .seconds(0.001...86400),
        "Time for a client to send a request's body; beyond that 408."
    )
    var receiveTimeout: SettingChange?

    @Option(
        \.configuration.limits.idleTime,
        .seconds(0.001...86400),
        "Time for a client to take an answer; also the longest silence between requests."
    )
    var idleTimeout: SettingChange?

    @Option(
        \.configuration.shutdownDelay,
        .seconds(0...3600),
        "How long to keep serving after SIGTERM while /readyz answers 503, so that load balancers notice."
    )
    var shutdownDelay: SettingChange?

    @Option(\.tokenFile, .text("file", .file()), "A file with the token that clients must send, in its first line.")
    var tokenFile: SettingChange?

    @Option(
        each: \.configuration.corsOrigins,
        .text("origin"),
        "An origin whose pages may call the service, such as https://example.org, or *; can be repeated."
    )
    var corsOrigin: [SettingChange]

    @Option(\.samples, .folder, "A folder of JPEG and PNG pictures that the page offers to try instead of its own.")
    var samples: SettingChange?

    @Option(\.configuration.page, .folder, "A folder with another page: index.html and assets/.")
    var page: SettingChange?

    @Option(\.logLevel, .choice("level"), "What is logged.")
    var logLevel: SettingChange?

    @Option(\.logFormat, .choice("form"), "The log's form: text, or JSON with one object per line.")
    var logFormat: SettingChange?
}
