import ArgumentParser
import SegNetToolkit

extension PredictionRun {
    /// The pictures to segment. With `--skip-existing`, those whose results are there are left out.
    static func chosen(
        _ all: [InputList.Picture],
        _ options: Predict,
        _ outputs: RunOutputs,
        on console: Console
    ) -> [InputList.Picture] {
        guard options.outputs.skipExisting else { return all }
        let pictures = all.filter { picture in
            !missingResults(of: picture, options, outputs).isEmpty
        }
        let count = all.count - pictures.count
        if count > 0 {
            console.note(
                "note: \(counted(count, "picture is", plural: "pictures are")) skipped: all results exist already."
            )
        }
        let drawn = pictures.count { drawnPolygons($0, options, outputs) != nil }
        if drawn > 0 {
            console.note(
                "note: \(counted(drawn, "file")) of polygons next to pictures \(drawn == 1 ? "is" : "are") left as "
                    + "\(drawn == 1 ? "it is" : "they are"); other results of these pictures are written."
            )
        }
        return pictures
    }

    /// A file of polygons that the run must not replace.
    private static func drawnPolygons(_ picture: InputList.Picture, _ options: Predict, _ outputs: RunOutputs)
        -> String?
    {
        guard options.kinds.contains(.polygons) else { return nil }
        return outputs.drawnPolygons(picture, base: base(of: picture, in: options.output))
    }

    /// Why a picture is not segmented although it could be: a file that somebody may have made would be replaced.
    static func refusal(of picture: InputList.Picture, _ options: Predict, _ outputs: RunOutputs) -> PredictionRefusal?
    {
        guard !options.outputs.skipExisting, let path = drawnPolygons(picture, options, outputs) else { return nil }
        return PredictionRefusal(path: path)
    }

    /// Sees, before anything is written, that no result takes the place of another, of a picture that is read, or of all that somebody has
    /// drawn.
    static func requireApart(_ pictures: [InputList.Picture], _ options: Predict, _ outputs: RunOutputs)
        throws(ValidationError)
    {
        try requireDistinct(pictures, options, outputs, ignoresCase: false)
        if options.kinds.contains(.polygons), let drawn = outputs.drawnPolygons(of: pictures) {
            throw ValidationError(
                "Please give another '--output': \(RawFileName.display(drawn)) already exists next to the pictures, and somebody may have drawn "
                    + "it. If that is an earlier result, remove it."
            )
        }
        // Only what is named like a result can have a result's path: most runs have nothing to look for. YOLO's polygons are named like
        // lists.
        let isYOLO = options.kinds.contains(.polygons) && options.outputs.format == .yolo
        let named =
            pictures.compactMap(\.file).filter { OutputKind.isOutput(InputList.lastComponent($0)) }
            + options.inputs.filter { isYOLO && InputList.ending(of: $0) == "txt" }
        guard !named.isEmpty else { return }
        let inputs = Dictionary(named.map { (Array(InputList.resolved($0).utf8), $0) }) { first, _ in first }
        for picture in pictures {
            for path in places(of: picture, options, outputs).flatMap(\.paths) {
                guard let input = inputs[Array(InputList.resolved(path).utf8)] else { continue }
                throw ValidationError(
                    "Please give another '--output': \(RawFileName.display(path)), a result of \(picture.name), would replace the input "
                        + "\(RawFileName.display(input)). If that is an earlier result, remove it, or leave it out with '--exclude'."
                )
            }
        }
    }

    /// Sees, before anything is written, that no two results have the same file.
    /// - Parameter ignoresCase: Whether the output folder takes `A` and `a` for the same name.
    static func requireDistinct(
        _ pictures: [InputList.Picture],
        _ options: Predict,
        _ outputs: RunOutputs,
        ignoresCase: Bool
    ) throws(ValidationError) {
        // The beginnings of two pictures' results differ. Their files are the same only where one suffix ends with another (`.a.b.npy` and
        // `.b.npy`), where names lose their folders, or letters their case: most runs have nothing to look for.
        let suffixes = options.kinds.map { options.tiles.fileSuffix(of: $0) }.filter { !$0.isEmpty }
        let mayMeet = suffixes.contains { long in suffixes.contains { $0 != long && long.hasSuffix($0) } }
        let hasPolygons = options.kinds.contains(.polygons)
        guard ignoresCase || mayMeet || hasPolygons && outputs.flattensNames else { return }
        var owners: [[UInt8]: (picture: InputList.Picture, kind: OutputKind)] = [:]
        for picture in pictures {
            let base = base(of: picture, in: options.output)
            for kind in options.kinds {
                let path: String? =
                    switch kind {
                    case .shares: nil
                    case .polygons: outputs.ownPolygonPath(of: picture, base: base)
                    default: base + options.tiles.fileSuffix(of: kind)
                    }
                guard let path,
                    let owner = owners.updateValue(
                        (picture, kind),
                        forKey: Array((ignoresCase ? path.lowercased() : path).utf8)
                    )
                else { continue }
                let isOnePicture = owner.picture == picture
                throw ValidationError(
                    "Please \(isOnePicture ? "save" : "segment") \(isOnePicture ? "'\(owner.kind.name)'" : owner.picture.name) and "
                        + "\(isOnePicture ? "'\(kind.name)'" : picture.name) in two calls, each with its own '--output': "
                        + "a result of each would be the file \(RawFileName.display(path))"
                        + (ignoresCase ? ", as the folder does not distinguish upper and lower case." : ".")
                )
            }
        }
    }

    /// The first part of the paths of a picture's results.
    static func base(of picture: InputList.Picture, in folder: String) -> String {
        folder.hasSuffix("/") ? folder + picture.stem : "\(folder)/\(picture.stem)"
    }

    /// The files that are written for a picture.
    static func paths(
        _ picture: InputList.Picture,
        _ options: Predict,
        _ outputs: RunOutputs
    ) -> [(kind: OutputKind, path: String)] {
        let base = base(of: picture, in: options.output)
        let keepsPolygons = options.outputs.skipExisting && drawnPolygons(picture, options, outputs) != nil
        return options.kinds.compactMap { kind in
            switch kind {
            case .polygons: keepsPolygons ? nil : (kind, outputs.polygonPath(base: base))
            case .shares: (kind, outputs.sharesPath)
            default: (kind, base + options.tiles.fileSuffix(of: kind))
            }
        }
    }

    /// The results of a picture that are not there. A TIFF that is read in pieces has TIFFs as results.
    static func missingResults(of picture: InputList.Picture, _ options: Predict, _ outputs: RunOutputs) -> [String] {
        places(of: picture, options, outputs).filter { kind, places in
            !places.contains { isResult($0, kind) }
        }
        .map { $0.paths[0] }
    }

    /// Whether a file is there and can be a result: a full disk, a power cut or an interrupted copy leaves empty ones.
    private static func isResult(_ path: String, _ kind: OutputKind) -> Bool {
        guard FileAccess.kind(of: path) == .file else { return false }
        // YOLO's list of polygons of a picture without any is empty.
        return kind == .polygons || (try? FileAccess.readStart(path, most: 1).isEmpty) != true
    }

    /// Where each result of a picture goes: its path, and the one that it has where a TIFF is read in pieces.
    private static func places(
        of picture: InputList.Picture,
        _ options: Predict,
        _ outputs: RunOutputs
    ) -> [(kind: OutputKind, paths: [String])] {
        let base = base(of: picture, in: options.output)
        var mayBePieces = false
        if case .file(let path) = picture.source, options.tiles.maskFormat != .png {
            mayBePieces = ["tif", "tiff"].contains(InputList.ending(of: path))
        }
        return paths(picture, options, outputs).map { kind, path in
            (kind, [path] + (mayBePieces ? [TiledPrediction.path(of: kind, base: base)] : []))
        }
    }

    /// Prints what a run would do, as lines or as the report that the run would print, with nothing measured.
    static func printPlan(
        _ pictures: [InputList.Picture],
        problems: [(name: String, message: String)],
        _ options: Predict,
        _ outputs: RunOutputs,
        _ report: PredictionReport,
        on console: Console
    ) throws {
        let planned = pictures.map { (picture: $0, paths: paths($0, options, outputs)) }
        guard options.json else {
            for (picture, paths) in planned {
                let paths = options.isPipe ? ["standard output"] : paths.map(\.path)
                console.print("\(picture.name) -> \(paths.joined(separator: ", "))")
            }
            return console.print("\(counted(pictures.count, "picture")); nothing was done.")
        }
        var report = report
        report.dryRun = true
        report.failed = problems.count
        report.pictures = problems.map { PredictionReport.Picture(input: $0.name, error: $0.message) }
        for (picture, paths) in planned {
            var entry = PredictionReport.Picture(input: picture.name)
            entry.outputs = Dictionary(paths.map { ($0.kind.name, $0.path) }) { first, _ in first }
            report.pictures.append(entry)
        }
        console.print(try JSON.text(report))
    }

    /// The bytes of a result's file.
    static func bytes(
        _ kind: OutputKind,
        _ result: Segmentation,
        _ picture: InputList.Picture,
        _ options: Predict,
        _ outputs: RunOutputs
    ) throws -> [UInt8] {
        func array(_ map: FloatMap?) throws -> [UInt8] {
            guard let map else { return [] }
            return try NPYFile.encode(map.values, shape: map.shape)
        }
        switch kind {
        case .mask: return try result.classes.encodedPNG()
        case .color: return try result.colored().encodedPNG()
        case .overlay: return try result.overlay(opacity: options.opacity).encodedPNG()
        case .cutout(let names): return try result.cutout(of: names).encodedPNG()
        case .confidence: return try result.confidenceImage()?.encodedPNG() ?? []
        case .uncertainty: return try result.uncertaintyImage()?.encodedPNG() ?? []
        case .logits: return try array(result.scores?.channelsLast())
        case .probabilities: return try array(result.probabilities?.channelsLast())
        case .variance: return try array(result.variance?.channelsLast())
        case .blob(let name): return try array(result.blobs[name])
        case .polygons: return try outputs.polygons(result, picture, folder: ".")
        case .shares:
            outputs.addShares(result, picture)
            return Array(outputs.shares([picture]).utf8)
        }
    }

    /// Checks the classes of cut-outs, which are known only with the model.
    static func checkClasses(_ options: Predict, _ segmenter: Segmenter) throws {
        for kind in options.kinds {
            guard case .cutout(let names) = kind else { continue }
            for name in names { _ = try segmenter.classID(named: name) }
        }
    }
}

/// A picture whose polygons would replace a file next to it.
struct PredictionRefusal: Error, CustomStringConvertible {
    var path: String

    var description: String {
        "\(RawFileName.display(path)): already exists next to its picture, and somebody may have drawn it; keep such files with "
            + "'--skip-existing', choose another '--output', or remove it."
    }
}
