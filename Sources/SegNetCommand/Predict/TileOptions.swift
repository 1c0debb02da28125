import ArgumentParser
import SegNetToolkit

/// Options for pictures that are too large to run in one piece.
struct TileOptions: ParsableArguments {
    /// The formats of masks.
    enum MaskFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
        case png
        case tiff
    }

    @Option(
        help: ArgumentHelp(
            "Run each picture at its own size in tiles of this size; a TIFF is then read and written in pieces. (default: whole, or in "
                + "tiles of 1024x1024 with '--size native' if memory is too small)",
            valueName: "WxH"
        ),
        transform: PictureSize.parse
    )
    var tile: PictureSize?

    @Option(
        help: ArgumentHelp(
            "How many pixels neighbouring tiles share. 'segnet info' prints how many give the whole picture's result; with fewer, "
                + "probabilities are blended. (default: enough for that result bit for bit, or else up to rounding, if at most half a "
                + "tile; otherwise a quarter of a tile)",
            valueName: "pixels"
        )
    )
    var overlap: Int?

    @Option(
        name: .customLong("max-pixels"),
        help: ArgumentHelp(
            "Refuse pictures with more pixels. (default: 100 million; 10 billion for a TIFF that is read in pieces)",
            valueName: "count"
        )
    )
    var mostPixels: Int?

    @Option(
        help: ArgumentHelp(
            "The format of masks; tiff keeps the picture's georeference. (default: png, but tiff for a TIFF that is read in pieces)",
            valueName: "format"
        )
    )
    var maskFormat: MaskFormat?

    @Flag(help: "Continue where an earlier run stopped, for a TIFF that is read in pieces.")
    var resume = false

    var tiling: Segmenter.Tiling? {
        tile.map { Segmenter.Tiling(width: $0.width, height: $0.height, overlap: overlap) }
    }

    /// The limits for a picture that is read whole.
    var limits: DecodingLimits {
        guard let mostPixels else { return DecodingLimits() }
        let limits = DecodingLimits()
        // In the same proportions as the limits' defaults.
        return DecodingLimits(
            maximumPixels: mostPixels,
            maximumMemory: max(limits.maximumMemory, saturatingProduct(mostPixels, 7)),
            maximumFileBytes: max(limits.maximumFileBytes, saturatingProduct(mostPixels, 4))
        )
    }

    /// The most pixels of a TIFF that is read in pieces.
    var mostPixelsInPieces: Int { mostPixels ?? 10_000_000_000 }

    /// Suffix of a result's file name.
    func fileSuffix(of kind: OutputKind) -> String {
        kind == .mask && maskFormat == .tiff ? ".mask.tif" : kind.fileSuffix
    }

    /// - Throws: `ValidationError` for options that contradict each other.
    func check(_ predict: Predict) throws {
        if let mostPixels, mostPixels < 1 {
            throw ValidationError("Please give '--max-pixels' a number of at least 1; found \(mostPixels).")
        }
        if let overlap, overlap < 0 {
            throw ValidationError("Please give '--overlap' a number of at least 0; found \(overlap).")
        }
        // With a video, VideoOptions says why not.
        if resume, predict.videos.isEmpty, !readsInPieces(predict) {
            throw ValidationError(
                "Please give '--resume' only where a TIFF is read in pieces: with '--tile' or '--size native', and for mask, color and overlay."
            )
        }
        guard let tile else {
            if overlap != nil { throw ValidationError("Please give '--overlap' only with '--tile'.") }
            return
        }
        if let overlap, overlap >= min(tile.width, tile.height) {
            throw ValidationError(
                "Please give '--overlap' less than the sides of '--tile' \(tile); with \(overlap) nothing is left of them."
            )
        }
        if case .fixed(let size) = predict.runSize.size {
            throw ValidationError(
                "Please leave '--size \(size)' out with '--tile': tiles run at the picture's own size, '--size native'."
            )
        }
        if predict.sampling.samples != nil || predict.views.augmentation != .none || predict.refining.refinement != nil
        {
            throw ValidationError("Please leave '--samples', '--tta' and '--refine' out with '--tile'.")
        }
        if let kind = predict.kinds.first(where: \.needsWholeMaps) {
            throw ValidationError(
                "Please leave '\(kind.name)' out with '--tile', which gives only classes, results made from them, and confidence."
            )
        }
    }

    /// The results that a TIFF can have that is read in pieces.
    static let kindsInPieces: [OutputKind] = [.mask, .color, .overlay]

    /// Whether TIFFs may be read in pieces, as far as the options say.
    private func readsInPieces(_ predict: Predict) -> Bool {
        var runsWhole = false
        if case .native = predict.runSize.size { runsWhole = true }
        return (tile != nil || runsWhole) && maskFormat != .png && predict.kinds.allSatisfy(Self.kindsInPieces.contains)
    }

    /// A message of the library, in terms of this command's options.
    static func inWords(_ message: String) -> String {
        let isAboutPixels = message.contains("DecodingLimits.maximumPixels")
        let said = message.replacing("DecodingLimits.maximumPixels", with: "'--max-pixels'")
        // The limits of memory and bytes grow with that of pixels.
        return isAboutPixels
            ? said
            : said.replacing("DecodingLimits.maximumMemory", with: "'--max-pixels'")
                .replacing("DecodingLimits.maximumFileBytes", with: "'--max-pixels'")
    }
}
