import ArgumentParser
import SegNetToolkit

/// A TIFF that is read, segmented and written in pieces, so that no more than a row of tiles is ever in memory.
///
/// The classes go into a file next to the results, `.STEM.segnet-part`, one row of tiles after the other. Once all are there, the results
/// are written from it. A run that is killed leaves that file, and no result with its final name; `--resume` continues after the last whole
/// row of tiles.
struct TiledPrediction {
    private let picture: InputList.Picture
    private let path: String
    private let base: String
    private let file: TIFFFile
    private let plan: TilePlan
    private let segmenter: Segmenter
    private let request: Segmenter.Request
    private let options: Predict
    private let console: Console

    /// How many rows are read or written at once after the network has run.
    private static let bandRows = 256

    /// Nil for a picture that is not read in pieces: it is not a TIFF, it fits in memory and no tiles were asked for, it has to be turned,
    /// or other results are wanted than class ids, their colours and overlays.
    init?(
        _ picture: InputList.Picture,
        _ base: String,
        _ segmenter: Segmenter,
        _ request: Segmenter.Request,
        _ options: Predict,
        _ console: Console
    ) throws {
        guard case .file(let path) = picture.source, segmenter.inputs.planeChannels.isEmpty,
            options.tiles.maskFormat != .png,
            request.tiles != nil || request.size == .picture, segmenter.canTile(request), request.keeps.isEmpty,
            options.kinds.allSatisfy(TileOptions.kindsInPieces.contains), TIFFFile.isTIFF(path: path)
        else { return nil }
        let file = try TIFFFile(path: path)
        guard file.isUpright else { return nil }
        if request.tiles == nil {
            let isSmall = file.width * file.height <= options.tiles.limits.maximumPixels
            if isSmall, try segmenter.fits(width: file.width, height: file.height) { return nil }
        }
        let plan = try segmenter.tilePlan(request.tiles ?? Segmenter.Tiling(), width: file.width, height: file.height)
        let longest = plan.rows.tiles.map(\.count).max() ?? 1
        try file.check(
            DecodingLimits(maximumPixels: options.tiles.mostPixelsInPieces, maximumMemory: 4 << 30),
            rows: longest
        )
        self.picture = picture
        self.path = path
        self.base = base
        self.file = file
        self.plan = plan
        self.segmenter = segmenter
        self.request = request
        self.options = options
        self.console = console
    }

    func run() throws -> PredictionReport.Picture {
        let clock = ContinuousClock()
        let start = clock.now
        if picture.stem.contains("/"), let slash = base.lastIndex(of: "/") {
            try OutputFolder.make(String(base[..<slash]))
        }
        // If a result cannot be written, this shows before hours of work are done for it.
        for kind in options.kinds { _ = try writer(of: kind) }
        let part = try makePart()
        let first = options.tiles.resume ? part.resume() : 0
        if first == 0 { try part.begin() }
        tell(first)
        try segment(into: part, from: first)
        let segmented = clock.now
        let counts = try write(from: part)
        part.remove()
        var entry = PredictionReport.Picture(input: picture.name)
        entry.width = file.width
        entry.height = file.height
        if plan.tileCount > 1 { entry.tiles = plan.tileCount }
        entry.outputs = Dictionary(options.kinds.map { ($0.name, outputPath($0)) }) { first, _ in first }
        entry.classes = Segmentation.shares(counts, segmenter.classTable)
        entry.milliseconds = PredictionReport.Milliseconds(
            decode: 0,
            network: (segmented - start).inMilliseconds,
            encode: (clock.now - segmented).inMilliseconds
        )
        return entry
    }

    // MARK: Names

    private var bytesPerID: Int { segmenter.classCount > 256 ? 2 : 1 }

    private func outputPath(_ kind: OutputKind) -> String { Self.path(of: kind, base: base) }

    /// A result's path.
    static func path(of kind: OutputKind, base: String) -> String { "\(base).\(kind.name).tif" }

    var partPath: String {
        let slash = base.lastIndex(of: "/").map(base.index(after:)) ?? base.startIndex
        return "\(base[..<slash]).\(base[slash...]).segnet-part"
    }

    /// What an earlier run must have in common with this one, so that its rows can be used.
    var header: String {
        let fileNote = FileStamp.of(path)
        let modelNote = (try? options.model.file()).map { FileStamp.of($0.relativePath) } ?? "?"
        let run = segmenter.prepared.options
        return
            "segnet-part 2; input \(path) \(fileNote); model \(options.model.name) \(modelNote); \(file.width)x\(file.height); "
            + "tiles \(plan.columns.tiles.count)x\(plan.rows.tiles.count) overlap \(plan.overlap); "
            + "\(run.instructionSet.name) \(run.accuracy.rawValue) \(run.precision.rawValue)\n"
    }

    func makePart() throws(PartFileError) -> PartFile {
        try PartFile(
            path: partPath,
            header: header,
            rowBytes: file.width * bytesPerID,
            ends: plan.rows.tiles.indices.map { TiledRun.finishedRows(plan, after: $0 + 1) }
        )
    }

    /// `tiles of 1024x1024, overlap 256 (the whole picture's result, bit for bit)`
    static func words(_ plan: TilePlan) -> String {
        let tile = (plan.columns.tiles[0].count, plan.rows.tiles[0].count)
        guard plan.tileCount > 1 else { return "tile of \(tile.0)x\(tile.1)" }
        let result =
            switch plan.agreement {
            case .exact: "the whole picture's result, bit for bit"
            case .rounding: "the whole picture's result except for rounding"
            case .blended: "blended"
            }
        return "tiles of \(tile.0)x\(tile.1), overlap \(plan.overlap) (\(result))"
    }

    private func tell(_ first: Int) {
        let count = Numbers.grouped(plan.tileCount)
        var line = "\(picture.name): \(file.width)x\(file.height) in \(count) \(Self.words(plan))"
        if first > 0 { line += "; \(first) of \(plan.rows.tiles.count) rows of tiles are already done" }
        console.note(line + ".")
    }

    // MARK: Work

    private func segment(into part: PartFile, from first: Int) throws {
        var run = TiledRun(segmenter, plan, request)
        let clock = ContinuousClock()
        let (start, before) = (clock.now, first * plan.columns.tiles.count)
        run.onTile = { done in
            let new = done - before
            guard new > 0 else { return }
            let left = (clock.now - start).inSeconds / Double(new) * Double(plan.tileCount - done)
            console.status("\(picture.name): tile \(done) of \(plan.tileCount), \(Numbers.clock(seconds: left)) left")
        }
        try run.all(of: TIFFRows(file), from: first) { rows in
            try part.append(rows.classIDs, rows: rows.range, bytesPerID: bytesPerID)
        }
    }

    private func writer(of kind: OutputKind) throws -> TIFFWriter {
        let pixels: TIFFWriter.Pixels =
            switch kind {
            case .color where bytesPerID == 1: .colors(segmenter.classTable)
            case .color, .overlay: .rgb
            default: bytesPerID == 1 ? .ids8 : .ids16
            }
        return try TIFFWriter(
            path: outputPath(kind),
            width: file.width,
            height: file.height,
            pixels,
            georeference: GeoTIFFTags(file)
        )
    }

    /// Writes the results from the classes.
    /// - Returns: The number of pixels of each class.
    private func write(from part: PartFile) throws -> [Int] {
        let writers = try options.kinds.map { (kind: $0, writer: try writer(of: $0)) }
        var counts = [Int](repeating: 0, count: segmenter.classCount)
        for top in stride(from: 0, to: file.height, by: Self.bandRows) {
            let rows = top..<min(top + Self.bandRows, file.height)
            let ids = try part.read(rows, width: file.width, bytesPerID: bytesPerID)
            for id in ids where Int(id) < counts.count { counts[Int(id)] += 1 }
            let classes = try LabelMap(width: file.width, height: rows.count, ids: ids)
            for (kind, writer) in writers {
                switch kind {
                case .overlay:
                    let seen = try TIFFRows(file).picture(rows).background()
                    let overlay = try seen.overlay(classes, table: segmenter.classTable, opacity: options.opacity)
                    try writer.write(rgb: overlay.rgb().pixels)
                case .color where bytesPerID == 2:
                    try writer.write(rgb: classes.colored(with: segmenter.classTable).rgb().pixels)
                default: try writer.write(ids: ids)
                }
            }
            console.status("\(picture.name): writing, row \(rows.upperBound) of \(file.height)")
        }
        for (_, writer) in writers { try writer.finish() }
        return counts
    }
}

/// Distinguishes versions of a file with the same name, by size and time of the last change.
enum FileStamp {
    static func of(_ path: String) -> String {
        var status = stat()
        guard RawFileName.withPath(path, { stat($0, &status) }) == 0 else { return "?" }
        #if canImport(Darwin)
            return "\(status.st_size) \(status.st_mtimespec.tv_sec).\(status.st_mtimespec.tv_nsec)"
        #else
            return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        #endif
    }
}
