import ArgumentParser
import SegNetToolkit

/// Options that change an architecture, besides classes and width.
struct ArchitectureVariantOptions: ParsableArguments {
    @Flag(
        inversion: .prefixedNo,
        help:
            "For an architecture: batch normalisation after every convolution except the classifier. (default: as the authors released it)"
    )
    var batchNormalization: Bool?

    @Option(
        help: ArgumentHelp(
            "For an architecture with fc6 and fc7 (FCN, DeepLab, DeconvNet): their width. (default: as the authors released it)",
            valueName: "count"
        )
    )
    var fc: Int?

    func validate() throws {
        if let fc, !(1...ArchitectureChoice.mostClasses).contains(fc) {
            throw ValidationError("Please give '--fc' a number in 1...\(ArchitectureChoice.mostClasses); found \(fc).")
        }
    }

    /// Refuses an option that changes none of the networks.
    func check(_ architectures: [Architecture]) throws {
        guard fc != nil, !architectures.contains(where: \.hasFullyConnectedLayers) else { return }
        let given = architectures.map(\.rawValue).joined(separator: ", ")
        let names = Architecture.allCases.filter(\.hasFullyConnectedLayers).map(\.rawValue)
        throw ValidationError(
            "Please leave '--fc' out: \(architectures.count > 1 ? "none of \(given) has the" : "\(given) has no") layers fc6 and "
                + "fc7; those with them are \(names.joined(separator: ", "))."
        )
    }

    /// The first of them that was given.
    var given: String? {
        batchNormalization.map { $0 ? "--batch-normalization" : "--no-batch-normalization" } ?? fc.map { _ in "--fc" }
    }

    /// The network at a size, with the input that its authors use.
    func network(
        _ architecture: Architecture,
        classes: Int,
        width: Double = 1,
        size: PictureSize = .camVid,
        statistics: BatchNormalization.Statistics = .folded
    ) -> Network {
        architecture.network(
            classes: classes,
            options: ArchitectureOptions(
                input: architecture.input(height: size.height, width: size.width),
                width: width,
                batchNormalization: batchNormalization,
                fullyConnectedWidth: fc,
                statistics: statistics
            )
        )
    }
}

extension Architecture {
    /// The architecture of a word on the command line.
    static func parse(_ word: String) throws -> Architecture {
        if let architecture = Architecture(rawValue: word) { return architecture }
        if ModelStore.standard.url(of: word) != nil || isModelFile(word) {
            throw ValidationError(
                "'\(word)' is a model; please name an architecture ('segnet info --list' shows all). 'segnet info \(word)' says "
                    + "which the model has."
            )
        }
        let hint = closestName(to: word, among: allCases.map(\.rawValue)).map { " Did you mean '\($0)'?" } ?? ""
        throw ValidationError("There is no architecture '\(word)'.\(hint) 'segnet info --list' shows all.")
    }

    private static func isModelFile(_ path: String) -> Bool {
        [".safetensors", ".caffemodel", ".prototxt"].contains(where: path.hasSuffix)
            && FileAccess.kind(of: path) == .file
    }

    static var completion: CompletionKind { .list(allCases.map(\.rawValue)) }
}
