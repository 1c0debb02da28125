import ArgumentParser
import SegNetToolkit

struct Demo: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Segment a street.",
        discussion: """
            Needs no data: runs the bundled SegNet on a photo of London that comes with it, and writes the picture, the \
            mask, the colours and the overlay. With --random, or where no model is installed, a street is rendered and the \
            weights are random: the regions follow random filters, and their colours mean nothing.

            EXAMPLES:
              segnet demo
              segnet demo --output /tmp/street
            """
    )

    @Option(
        help: ArgumentHelp("The folder for the pictures; made if it is missing.", valueName: "folder"),
        completion: .directory
    )
    var output = Demo.usualOutput

    /// The folder for the pictures where none is named: the demo's own.
    private static let usualOutput = "output/demo"

    @Option(
        help: ArgumentHelp("Seed of the rendered street and the random weights. (default: 1)", valueName: "number"),
        transform: wholeNumber
    )
    var seed: UInt64 = 1

    @OptionGroup var engine: EngineOptions

    @Flag(help: "Use random weights even if there is a trained model.")
    var random = false

    private var hasTrainedModel: Bool { ModelStore.standard.url(of: ModelStore.defaultName) != nil }

    private func trainedModel() throws -> LoadedModel? {
        guard !random, let url = ModelStore.standard.url(of: ModelStore.defaultName) else { return nil }
        return try LoadedModel(url)
    }

    private func randomModel(_ scene: StreetScene, _ options: InferenceOptions) throws -> LoadedModel {
        let model = try RandomModel.segNetBasic(
            classTable: .camVid11,
            seed: seed,
            lookingAt: scene.image,
            options: options,
            threads: engine.threadCount
        )
        return LoadedModel(model, name: "random SegNet-Basic")
    }

    /// The results besides the picture.
    private static let kinds = ["mask", "color", "overlay"]

    /// Refuses to replace files that no demo has written: in a folder that was named, somebody's own street may have the picture's name,
    /// and what was made of it the names of the results.
    /// - Parameter pictures: What a demo writes as its picture.
    private func requireOwn(_ base: String, _ pictures: [Image]) throws {
        let files = ["\(base).png"] + Self.kinds.map { "\(base).\($0).png" }
        guard output != Self.usualOutput,
            let file = files.first(where: { FileAccess.kind(of: $0) != .missing })
        else { return }
        let isPicture = FileAccess.kind(of: files[0]) == .file
        if isPicture, let old = try? Image(path: files[0]), pictures.contains(old) { return }
        throw ValidationError(
            "Please give '--output' another folder: \(file) already exists and would be replaced. If it is an earlier demo's, remove it."
        )
    }

    func run(on console: Console) throws {
        let clock = ContinuousClock()
        let start = clock.now
        // The trained model has seen photos; a rendered street is for random weights, and where no photo is installed.
        let photo = random || !hasTrainedModel ? nil : ModelStore.standard.file("street.jpg")
        let scene = try StreetScene(seed: seed)
        let picture = try photo.map { try Image(contentsOf: $0) } ?? scene.image
        let drawn = clock.now
        let base = output.hasSuffix("/") ? output + "street" : "\(output)/street"
        try requireOwn(base, [picture, scene.image])
        try OutputFolder.prepare(output)
        try picture.write(path: base + ".png")

        let options = try engine.segmenterOptions.inference()
        let model = try trainedModel() ?? randomModel(scene, options)
        let made = clock.now
        let segmenter = try Segmenter(model, options: engine.segmenterOptions)
        let result = try segmenter.segment(picture)
        try result.classes.write(path: base + ".mask.png")
        try result.colored().write(path: base + ".color.png")
        try result.overlay().write(path: base + ".overlay.png")

        console.print(
            photo != nil
                ? "a street in London (photo from Pexels, free to use): \(base).png"
                : "street rendered in \(Numbers.fixed((drawn - start).inMilliseconds, 0)) ms, seed \(seed): \(base).png"
        )
        console.print(
            random || !hasTrainedModel
                ? "weights drawn and normalised on it in \(Numbers.fixed((made - drawn).inMilliseconds, 0)) ms"
                : "model: \(model.model.metadata.name ?? model.file), read in \(Numbers.fixed((made - drawn).inMilliseconds, 0)) ms"
        )
        console.print(
            "segmented in \(Numbers.fixed(result.timing.network.inMilliseconds, 0)) ms (\(options.instructionSet.name), threads: \(engine.threadCount)):"
        )
        for kind in Self.kinds { console.print("  \(base).\(kind).png") }
        console.print("  \(PredictionRun.words(result.shares))")
        if random || !hasTrainedModel {
            console.print(
                "The weights are random: nothing was learnt, the regions follow random filters and the class names mean nothing."
            )
        }
        console.print("peak memory \(Numbers.mebibytes(MachineMemory.peak))")
    }
}
