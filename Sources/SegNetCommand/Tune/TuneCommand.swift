import ArgumentParser

struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Find good settings for a trained model.",
        discussion: """
            EXAMPLES:
              segnet tune crf --model mine.safetensors --dataset camvid --data CamVid
            """,
        subcommands: [TuneCRF.self]
    )
}
