import ArgumentParser
import SegNetToolkit

/// The size at which the network runs (`--size`).
struct RunSizeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Run the network at this size, or, with native, at each picture's own. (default: the network's size)",
            valueName: "WxH|native"
        ),
        transform: RunSizeArgument.parse
    )
    var size: RunSizeArgument?
}

/// The value of `--size`.
enum RunSizeArgument: Sendable {
    case native
    case fixed(PictureSize)

    /// The size that a user wrote.
    static func parse(_ word: String) throws -> RunSizeArgument {
        if word.lowercased() == "native" { return .native }
        guard let size = PictureSize(argument: word) else {
            throw ValidationError("a size is WIDTHxHEIGHT, such as 480x360, or 'native'.")
        }
        return .fixed(size)
    }
}

extension Segmenter.RunSize {
    init(_ argument: RunSizeArgument?) {
        switch argument {
        case nil: self = .network
        case .native: self = .picture
        case .fixed(let size): self = .fixed(width: size.width, height: size.height)
        }
    }
}
