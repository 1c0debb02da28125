import ArgumentParser
import SegNetToolkit

/// Which pictures `segnet predict` segments, and which annotations it writes.
struct PredictionOutputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The format of 'polygons'. Giving it adds polygons to what is saved, even if --save does not name them. (default: coco)",
            valueName: "format"
        )
    )
    var polygons: AnnotationFormat?

    /// Whether polygons are written to one file per picture or to one for all.
    enum Grouping: String, ExpressibleByArgument, CaseIterable, Sendable { case picture, all }

    @Option(
        help: ArgumentHelp(
            "One file of polygons per picture, or one for all. (default: what the format's programs expect)",
            valueName: "picture|all"
        )
    )
    var polygonsPer: Grouping?

    @Option(
        help: ArgumentHelp(
            "How far, in pixels, a simplified border may lie from the exact one; 0 is exact. (default: 1)",
            valueName: "pixels"
        )
    )
    var tolerance: Double?

    @Flag(help: "Skip pictures whose results all exist already.")
    var skipExisting = false

    @Option(
        help: ArgumentHelp(
            "Skip files and folders with this name or path; * and ? stand for any characters. May be repeated.",
            valueName: "pattern"
        )
    )
    var exclude: [String] = []

    @Flag(help: "Print what would be read and written, and do nothing.")
    var dryRun = false

    /// The format of polygons.
    var format: AnnotationFormat { polygons ?? .coco }

    /// Whether there is one file of polygons for all pictures.
    var hasOneFile: Bool { polygonsPer.map { $0 == .all } ?? format.isUsuallyOneFile }

    /// The first kind whose one file covers all pictures; nil if each picture has files of its own.
    func kindForAll(_ kinds: [OutputKind]) -> OutputKind? {
        kinds.contains(.shares) ? .shares : kinds.contains(.polygons) && hasOneFile ? .polygons : nil
    }

    /// Refuses options that do not fit together.
    /// - Parameters:
    ///   - kinds: The outputs that are saved.
    ///   - isPipe: Whether the result goes to standard output.
    func check(_ kinds: [OutputKind], isPipe: Bool, json: Bool) throws {
        if let tolerance, !(0...1000).contains(tolerance) {
            throw ValidationError("Please give '--tolerance' a number in 0...1000; found \(tolerance).")
        }
        if tolerance != nil || polygonsPer != nil, !kinds.contains(.polygons) {
            throw ValidationError(
                "Please name the polygons too ('--polygons FORMAT'), or leave '--tolerance' and '--polygons-per' out."
            )
        }
        if let tolerance, tolerance > 0, kinds.contains(.polygons), format == .cocoRLE || format == .cocoPanoptic {
            throw ValidationError("Please leave '--tolerance' out: '\(format.rawValue)' has pixels, not borders.")
        }
        if polygonsPer == .all, !format.holdsSeveral {
            throw ValidationError(
                "Please leave '--polygons-per all' out: a file of '\(format.rawValue)' describes one picture."
            )
        }
        if skipExisting {
            if let kind = kindForAll(kinds) {
                throw ValidationError(
                    "Please leave '--skip-existing' out: the file of '\(kind.name)' covers all pictures, and skipped ones would be missing from it"
                        + (kind == .polygons && format.holdsSeveral
                            ? " ('--polygons-per picture' writes one for each)." : ".")
                )
            }
        }
        guard isPipe else { return }
        guard kinds.count == 1 else {
            throw ValidationError(
                "Please name one result with '--output -', such as '--save overlay'; found \(kinds.map(\.name).joined(separator: ", "))."
            )
        }
        if kinds == [.polygons], format == .cocoPanoptic {
            throw ValidationError(
                "Please choose another format with '--output -': '\(format.rawValue)' is a PNG and a list."
            )
        }
        if json { throw ValidationError("Please give either '--json' or '--output -': both are standard output.") }
        if skipExisting { throw ValidationError("Please leave '--skip-existing' out with '--output -'.") }
    }
}
