public import ArgumentParser
public import Logging
import SegNetServer
public import SegNetToolkit

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The options of the command line. Every value is optional here: the environment, and then the defaults, fill in what
/// is missing.
struct ServerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A .safetensors file, or NAME=FILE to choose what clients call it; can be repeated.",
            valueName: "file"
        ),
        completion: .file(extensions: ["safetensors"])
    )
    var model: [String] = []

    @Flag(inversion: .prefixedNo, help: "Also serve the models that come with the package. (default: --bundled)")
    var bundled: Bool?

    @Option(help: ArgumentHelp("The address to listen on; 0.0.0.0 for all. (default: 127.0.0.1)", valueName: "address"))
    var host: String?

    @Option(help: ArgumentHelp("The port; 0 lets the system choose. (default: 8080)", valueName: "number"))
    var port: Int?

    @Option(help: ArgumentHelp("Threads that compute one picture. (default: all cores)", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Pictures in progress at once. (default: one more than the number of networks that fit on the cores)",
            valueName: "count"
        )
    )
    var workers: Int?

    @Option(help: ArgumentHelp("How weights are stored. (default: float32)", valueName: "type"))
    var precision: InferenceOptions.Precision?

    @Option(help: ArgumentHelp("As in 'segnet predict'. (default: fast)", valueName: "level"))
    var accuracy: InferenceOptions.Accuracy?

    @Option(help: ArgumentHelp("Requests that may wait; beyond that 503. (default: 64)", valueName: "count"))
    var maxQueue: Int?

    @Option(help: ArgumentHelp("Bytes of a request; beyond that 413. (default: 33554432)", valueName: "count"))
    var maxBytes: Int?

    @Option(help: ArgumentHelp("Pixels of a picture; beyond that 413. (default: 25000000)", valueName: "count"))
    var maxPixels: Int?

    @Option(
        help: ArgumentHelp(
            "Pixels that a network runs on with size=native or WxH; beyond that 413. (default: 2100000)",
            valueName: "count"
        )
    )
    var maxRunPixels: Int?

    @Option(help: ArgumentHelp("Open connections; further ones wait. (default: 1024)", valueName: "count"))
    var maxConnections: Int?

    @Option(
        help: ArgumentHelp(
            "From a request's last byte to its answer; beyond that 504. (default: 30)",
            valueName: "seconds"
        )
    )
    var deadline: Double?

    @Option(
        help: ArgumentHelp(
            "For a client to send a request's body; beyond that 408. (default: 30)",
            valueName: "seconds"
        )
    )
    var receiveTimeout: Double?

    @Option(
        help: ArgumentHelp(
            "For a client to take an answer, and for silence between requests. (default: 60)",
            valueName: "seconds"
        )
    )
    var idleTimeout: Double?

    @Option(
        help: ArgumentHelp(
            "How long to keep serving after SIGTERM while /readyz answers 503, so that load balancers notice. (default: 1)",
            valueName: "seconds"
        )
    )
    var shutdownDelay: Double?

    @Option(
        help: ArgumentHelp("A file with the token that clients must send, in its first line.", valueName: "file"),
        completion: .file()
    )
    var tokenFile: String?

    @Option(
        help: ArgumentHelp(
            "An origin whose pages may call the service, such as https://example.org, or *; can be repeated.",
            valueName: "origin"
        )
    )
    var corsOrigin: [String] = []

    @Option(
        help: ArgumentHelp(
            "A folder of JPEG and PNG pictures that the page offers to try instead of its own.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var samples: String?

    @Option(
        help: ArgumentHelp("A folder with another page: index.html and assets/.", valueName: "folder"),
        completion: .directory
    )
    var page: String?

    @Option(
        help: ArgumentHelp(
            "What is logged. (default: info)",
            valueName: "level"
        )
    )
    var logLevel: Logger.Level?

    @Option(
        help: ArgumentHelp("The log's form: text, or JSON with one object per line. (default: text)", valueName: "form")
    )
    var logFormat: LogFormat?
}

enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

extension InferenceOptions.Precision: @retroactive ExpressibleByArgument {}
extension InferenceOptions.Accuracy: @retroactive ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
