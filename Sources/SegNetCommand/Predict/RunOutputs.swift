import SegNetToolkit
import Synchronization

/// Polygons and shares: results that are annotations, or that cover all pictures of a run.
///
/// Pictures come from several threads in any order; files for all are written at the end, in the order of the inputs.
final class RunOutputs: Sendable {
    private let options: PredictionOutputOptions
    private let writer: AnnotationWriter
    private let folder: String
    private let state = Mutex(State())

    private struct State {
        /// By the picture's identity, as the shares.
        var pictures: [[UInt8]: AnnotationWriter.Picture] = [:]
        var shares: [[UInt8]: (size: PictureSize, shares: [Segmentation.Share])] = [:]
        /// Pictures whose GeoJSON is in pixels, and those whose reference system is not known.
        var inPixels: [String] = []
        var unnamed: [String] = []
        /// Pictures whose masks have no georeference because they are stored turned.
        var turned: [String] = []
        /// How pictures were cut into tiles, in words.
        var tilings: Set<String> = []
    }

    init(_ options: PredictionOutputOptions, folder: String, segmenter: Segmenter) {
        self.options = options
        self.folder = folder
        writer = AnnotationWriter(
            options.format,
            classes: segmenter.outputClasses,
            tolerance: options.format == .cocoRLE || options.format == .cocoPanoptic ? 0 : options.tolerance ?? 1,
            isPrediction: true
        )
    }

    private func path(_ name: String) -> String { folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)" }

    /// Where a picture's polygons go.
    func polygonPath(base: String) -> String {
        options.hasOneFile ? path(options.format.fileName) : base + options.format.suffix
    }

    /// The file of a picture's polygons if it is there already, next to the picture and under the name that a program for labelling gives
    /// its own: perhaps somebody has drawn them.
    func drawnPolygons(_ picture: InputList.Picture, base: String) -> String? {
        let path = polygonPath(base: base)
        guard !options.hasOneFile, [.labelme, .yolo, .geoJSON].contains(options.format), let file = picture.file,
            FileAccess.kind(of: path) != .missing, InputList.folder(of: path) == InputList.folder(of: file)
        else { return nil }
        return path
    }

    /// CVAT's file of all polygons if it is there already, next to a picture and under the name that CVAT gives its own: likewise.
    func drawnPolygons(of pictures: [InputList.Picture]) -> String? {
        let path = path(options.format.fileName)
        guard options.hasOneFile, options.format == .cvat, FileAccess.kind(of: path) == .file else { return nil }
        let folder = InputList.folder(of: path)
        return pictures.contains { $0.file.map { InputList.folder(of: $0) } == folder } ? path : nil
    }

    /// Where the shares go.
    var sharesPath: String { path("shares.csv") }

    /// The polygons of one picture as a file of their own.
    func polygons(_ result: Segmentation, _ picture: InputList.Picture, folder: String) throws -> [UInt8] {
        var writer = writer
        writer.add(try traced(result, picture, folder: folder))
        return Array(try writer.data())
    }

    /// Whether pictures of all folders have a file each in the same folder: `a/b.png` and `a_b.png` would have the same one there.
    var flattensNames: Bool { options.format == .cocoPanoptic && options.hasOneFile }

    /// The picture of a picture's segments, which the panoptic format has besides its list.
    private func panopticImage(of picture: InputList.Picture, base: String) -> (folder: String, path: String)? {
        guard options.format == .cocoPanoptic else { return nil }
        let folder = options.hasOneFile ? path("annotations.panoptic") : "\(base).panoptic"
        // Pictures with the same name in different folders have separate segments.
        return (folder, "\(folder)/\(Self.flat(picture.stem)).png")
    }

    /// The file of polygons or segments that a picture has to itself; nil where one file has the polygons of all.
    func ownPolygonPath(of picture: InputList.Picture, base: String) -> String? {
        options.hasOneFile ? panopticImage(of: picture, base: base)?.path : polygonPath(base: base)
    }

    /// Writes a picture's polygons, or keeps them for the file that has all.
    func addPolygons(_ result: Segmentation, _ picture: InputList.Picture, base: String) throws {
        if let image = panopticImage(of: picture, base: base) {
            try OutputFolder.make(image.folder)
            try writer.panopticImage(result.classes).write(path: image.path)
        }
        if options.hasOneFile {
            let traced = try traced(result, picture, folder: folder)
            state.withLock { $0.pictures[picture.identity] = traced }
        } else {
            let path = polygonPath(base: base)
            let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            try Self.write(Data(try polygons(result, picture, folder: parent)), to: path)
        }
    }

    private static func flat(_ stem: String) -> String { stem.replacing("/", with: "_") }

    private func traced(_ result: Segmentation, _ picture: InputList.Picture, folder: String) throws
        -> AnnotationWriter.Picture
    {
        let source = picture.file
        var file = picture.stem
        if let source {
            let ending = InputList.ending(of: source)
            file = ending.isEmpty ? file : "\(file).\(source.suffix(ending.count))"
            // labelme looks for the picture relative to the folder of its file.
            if options.format == .labelme { file = InputList.relative(source, to: folder) }
        }
        if options.format == .cocoPanoptic { file = options.hasOneFile ? Self.flat(file) : file }
        guard options.format == .geoJSON else { return writer.picture(result.classes, file: file) }
        let place = try source.flatMap { try Georeference(picture: $0) }
        state.withLock { state in
            if place == nil { state.inPixels.append(picture.name) }
            if let place, place.epsgCode == nil { state.unnamed.append(picture.name) }
        }
        return writer.picture(result.classes, file: file, georeference: place)
    }

    /// Where on Earth a picture is, for its mask, if it is a TIFF that says so.
    func georeference(of picture: InputList.Picture) -> GeoTIFFTags? {
        guard case .file(let path) = picture.source, TIFFFile.isTIFF(path: path), let file = try? TIFFFile(path: path),
            let tags = GeoTIFFTags(file)
        else { return nil }
        if file.isUpright { return tags }
        state.withLock { $0.turned.append(picture.name) }
        return nil
    }

    /// What the user should know about the coordinates of polygons and masks. Full sentences.
    var notes: [String] {
        func list(_ names: [String]) -> String? {
            // Pictures come in any order.
            names.min().map { names.count > 1 ? "\($0) and \(names.count - 1) more" : $0 }
        }
        let (inPixels, unnamed, turned) = state.withLock { ($0.inPixels, $0.unnamed, $0.turned) }
        return [
            list(inPixels).map {
                "\($0): no georeference and no world file was found; the GeoJSON's coordinates are pixels, from the upper left corner."
            },
            list(unnamed).map {
                "\($0): no EPSG code was found; the GeoJSON has the coordinates, but does not name their reference system."
            },
            list(turned).map {
                "\($0): is stored rotated (Orientation), and its georeference refers to the pixels as stored; the mask has none."
            },
        ].compactMap { $0 }
    }

    /// Whether no picture was cut into such tiles before: what thousands have in common is told once.
    func isFirst(tiling: String) -> Bool { state.withLock { $0.tilings.insert(tiling).inserted } }

    /// Keeps a picture's shares for the file that has all.
    func addShares(_ result: Segmentation, _ picture: InputList.Picture) {
        let entry = (result.classes.size, result.shares)
        state.withLock { $0.shares[picture.identity] = entry }
    }

    /// One line per picture: its path, its size, and the share of its pixels that each class covers, 0...1.
    func shares(_ pictures: [InputList.Picture]) -> String {
        let names = writer.classes.classes.map(\.name)
        var lines = CSV.line(["picture", "width", "height"] + names)
        let found = state.withLock { $0.shares }
        for picture in pictures {
            guard let entry = found[picture.identity] else { continue }
            var parts = [String](repeating: "0", count: names.count)
            for share in entry.shares where parts.indices.contains(share.id) {
                parts[share.id] = Numbers.fixed(share.share, 6)
            }
            lines += CSV.line([picture.name, "\(entry.size.width)", "\(entry.size.height)"] + parts)
        }
        return lines
    }

    /// Writes the files for all pictures.
    func finish(_ kinds: [OutputKind], _ pictures: [InputList.Picture]) throws {
        if kinds.contains(.shares) { try Self.write(Data(shares(pictures).utf8), to: sharesPath) }
        guard kinds.contains(.polygons), options.hasOneFile else { return }
        var writer = writer
        let traced = state.withLock { $0.pictures }
        for picture in pictures { if let entry = traced[picture.identity] { writer.add(entry) } }
        try Self.write(try writer.data(), to: path(options.format.fileName))
    }

    private static func write(_ data: Data, to path: String) throws(OutputFolderError) {
        do { try FileAccess.write(Array(data), to: path) } catch {
            throw OutputFolderError(path: path, problem: .writing)
        }
    }
}

extension InputList {
    /// A path relative to a folder.
    static func relative(_ path: String, to folder: String) -> String {
        let parts = resolved(path).split(separator: "/")
        let base = resolved(folder).split(separator: "/")
        let common = zip(parts, base).prefix { $0 == $1 }.count
        return (Array(repeating: "..", count: base.count - common) + parts[common...].map(String.init)).joined(
            separator: "/"
        )
    }
}
