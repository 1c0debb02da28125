import ArgumentParser
import SegNetToolkit

/// Which pictures `segnet predict` does, and what of it becomes annotations.
struct PredictionOutputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The form of 'polygons': \(AnnotationFormat.choices). Alone it adds them to what is saved. (default: coco)",
            valueName: "format"
        )
    )
    var polygons: AnnotationFormat?

    /// Whether polygons are one file for each picture or one for all.
    enum Grouping: String, ExpressibleByArgument, CaseIterable, Sendable { case picture, all }

    @Option(
        help: ArgumentHelp(
            "A file of polygons for each picture, or one for all. (default: as the format's programs expect)",
            valueName: "picture|all"
        )
    )
    var polygonsPer: Grouping?

    @Option(
        help: ArgumentHelp(
            "How far a border's corner that polygons leave out may lie from the simplified border; 0 is exact. (default: 1)",
            valueName: "pixels"
        )
    )
    var tolerance: Double?

    @Flag(help: "Leave out pictures whose results are all there already.")
    var skipExisting = false

    @Option(
        help: ArgumentHelp(
            "Leave out files and folders of this name or path, with * and ? for any letters. May be repeated.",
            valueName: "pattern"
        )
    )
    var exclude: [String] = []

    @Flag(help: "Print what would be read and written, and do nothing.")
    var dryRun = false

    /// The form of polygons.
    var format: AnnotationFormat { polygons ?? .coco }

    /// Whether there is one file of polygons for all pictures.
    var hasOneFile: Bool { polygonsPer.map { $0 == .all } ?? format.isUsuallyOneFile }

    /// Checks what fits together.
    /// - Parameters:
    ///   - kinds: What is saved.
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
                "Please leave '--polygons-per all' out: a file of '\(format.rawValue)' speaks of one picture."
            )
        }
        if skipExisting {
            if kinds.contains(.shares) || (kinds.contains(.polygons) && hasOneFile) {
                let name = kinds.contains(.shares) ? "shares" : "polygons"
                throw ValidationError(
                    "Please leave '--skip-existing' out: the file of '\(name)' is about all pictures, and those left out would be missing in it"
                        + (name == "polygons" && format.holdsSeveral
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
                "Please choose another form with '--output -': '\(format.rawValue)' is a PNG and a list."
            )
        }
        if json { throw ValidationError("Please give either '--json' or '--output -': both are standard output.") }
        if skipExisting { throw ValidationError("Please leave '--skip-existing' out with '--output -'.") }
    }
}
