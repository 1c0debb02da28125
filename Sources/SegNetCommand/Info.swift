import ArgumentParser
import SegNetToolkit

struct Info: ConsoleCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a network layer by layer, what it costs, and what this machine offers.",
        discussion: """
            Prints for each layer its output shape, parameters, multiply-accumulates (MACs), output bytes and receptive field; then the \
            memory that running the network takes.

            EXAMPLES:
              segnet info segnet
              segnet info segnet-basic --classes 21 --size 640x480
              segnet info camvid.safetensors --json
              segnet info segnet-streets
              segnet info segnet_train.prototxt
              segnet info deconvnet --fc 1024
              segnet info --list
              segnet info --machine
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A .safetensors file, a .prototxt, a .caffemodel (with --network), a bundled model by name ('segnet models'), or an "
                + "architecture ('--list' shows all).",
            valueName: "model"
        ),
        completion: .file()
    )
    var argument: String?

    @Option(
        name: .customLong("model"),
        help: ArgumentHelp("Another way to give <model>, as in other commands.", valueName: "file|name"),
        completion: .file()
    )
    var option: String?

    /// What is shown.
    private var source: String? { argument ?? option }

    @Flag(help: "Show the processor, its instruction sets and the memory instead.")
    var machine = false

    @Flag(help: "Show the architectures instead.")
    var list = false

    @Option(
        help: ArgumentHelp("The .prototxt that belongs to a .caffemodel.", valueName: "file"),
        completion: .file(extensions: ["prototxt"])
    )
    var network: String?

    @Option(
        help: ArgumentHelp("The size of the pictures. (default: the network's own)", valueName: "WxH"),
        transform: PictureSize.parse
    )
    var size: PictureSize?

    @Option(help: ArgumentHelp("For an architecture: how many classes. (default: 11)", valueName: "count"))
    var classes: Int?

    @Option(
        help: ArgumentHelp("For an architecture: multiplies every inner width. (default: 1)", valueName: "factor")
    )
    var width: Double?

    @OptionGroup var variant: ArchitectureVariantOptions

    @OptionGroup var engine: EngineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if let argument, let option {
            throw ValidationError("Please name one model; found '\(argument)' and '--model \(option)'.")
        }
        let options: [(String, Bool)] = [
            ("--network", network != nil), ("--size", size != nil), ("--classes", classes != nil),
            ("--width", width != nil),
        ]
        if machine || list, let option = options.first(where: \.1)?.0 ?? variant.given {
            throw ValidationError(
                "Please leave '\(option)' out with '\(machine ? "--machine" : "--list")', which shows no single network."
            )
        }
        if machine, list { throw ValidationError("Please give either '--list' or '--machine', not both.") }
        if machine {
            guard source == nil else {
                throw ValidationError("Please give either '--machine' or a model, not both; found '\(source ?? "")'.")
            }
            return
        }
        if list {
            guard source == nil else {
                throw ValidationError("Please give either '--list' or a model, not both; found '\(source ?? "")'.")
            }
            return
        }
        guard let source else {
            throw ValidationError("Please name a model, a network or an architecture, or give '--list' or '--machine'.")
        }
        if network != nil, Architecture(rawValue: source) != nil || source.lowercased().hasSuffix(".prototxt") {
            throw ValidationError("Please give '--network' only with a .caffemodel; '\(source)' is a network itself.")
        }
        if let architecture = Architecture(rawValue: source) {
            try ArchitectureChoice.validate(classes: classes, width: width)
            try variant.check([architecture])
        } else {
            if classes != nil || width != nil {
                throw ValidationError(
                    "Please give '--classes' and '--width' only with an architecture ('segnet info --list'); "
                        + "'\(source)' is a file, which states both."
                )
            }
            if let option = variant.given {
                throw ValidationError(
                    "Please give '\(option)' only with an architecture ('segnet info --list'); '\(source)' is a file, which states it."
                )
            }
        }
    }

    func run(on console: Console) throws {
        if machine {
            try MachineReport().print(json: json, on: console)
            return
        }
        if list {
            try printArchitectures(on: console)
            return
        }
        try report(on: console).print(json: json, on: console)
    }

    private struct Entry: Encodable { var name, summary: String }

    private func printArchitectures(on console: Console) throws {
        guard !json else {
            console.print(
                try JSON.text(Architecture.allCases.map { Entry(name: $0.rawValue, summary: $0.summary) })
            )
            return
        }
        var table = TextTable([("architecture", .left), ("what it is", .left)])
        for architecture in Architecture.allCases { table.append([architecture.rawValue, architecture.summary]) }
        for line in table.lines { console.print(line) }
    }

    /// The file of a model. A word that is neither a file nor a bundled model is most likely meant as an architecture.
    private func modelFile(_ source: String) throws -> URL {
        let store = ModelStore.standard
        guard store.isName(source), store.url(of: source) == nil, FileManager.default.isFolder(source) == nil
        else {
            return try store.resolve(source)
        }
        let names = Architecture.allCases.map(\.rawValue) + store.models.map(\.name)
        let closest =
            closestName(to: source, among: names) ?? names.last { source.hasPrefix($0) }
            ?? names.first { $0.hasPrefix(source) }
        let hint = closest.map { "Did you mean '\($0)'? " } ?? ""
        throw FormatError(
            file: source,
            problem: "is neither a file nor an architecture nor a bundled model",
            advice: "\(hint)'segnet info --list' shows the architectures, 'segnet models' the models"
        )
    }

    private func report(on console: Console) throws -> NetworkReport {
        guard let source else { throw ValidationError("Please name a model.") }
        let options = try engine.segmenterOptions.inference()
        let network: Network
        var model: LoadedModel?
        var notes: [String] = []
        if let architecture = Architecture(rawValue: source) {
            network = variant.network(architecture, classes: classes ?? 11, width: width ?? 1)
        } else if source.lowercased().hasSuffix(".prototxt") {
            let description = try Caffe.readNetwork(URL(filePath: source))
            network = description.network
            notes = description.notes
        } else {
            let loaded = try LoadedModel(try modelFile(source), network: self.network.map { URL(filePath: $0) })
            network = loaded.model.network
            if let report = loaded.report { console.note(report.summary) }
            // The network is shown all the same: what it is does not depend on its weights.
            do { try loaded.model.weights.requireFinite(for: network, file: loaded.file) } catch {
                console.warning("\(error)")
            }
            model = loaded
            notes = loaded.notes
        }
        // The report says anew how maps are unpooled, at the size that is asked for.
        let ownNotes = try network.unpoolingNotes()
        notes.removeAll { ownNotes.contains($0) }
        return try NetworkReport(
            size.map { network.resized(height: $0.height, width: $0.width) } ?? network,
            model: model,
            options: options,
            threads: engine.threadCount,
            notes: notes
        )
    }
}

/// The ranges of `--classes` and `--width`.
enum ArchitectureChoice {
    static let mostClasses = 65_535

    static func validate(classes: Int?, width: Double?) throws {
        if let classes, !(1...mostClasses).contains(classes) {
            throw ValidationError("Please give '--classes' a number in 1...\(mostClasses); found \(classes).")
        }
        if let width, !(width > 0 && width <= 16) {
            throw ValidationError("Please give '--width' a number above 0 and up to 16; found \(width).")
        }
    }
}
