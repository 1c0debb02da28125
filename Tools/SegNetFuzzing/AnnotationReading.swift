internal import SegNetAnnotations
package import SegNetPlatform

/// Reads annotations and paints them: for both fuzzers.
package enum AnnotationReading {
    /// Larger pictures take long and show nothing new.
    private static let mostPixels = 1 << 20

    /// - Parameters:
    ///   - format: One of the forms of annotations.
    ///   - reached: Called with `refusedLater` when the file as a whole is read, with `decoded` when something in it is annotated, with
    ///     `ran` when all of it has been painted.
    /// - Throws: The reader's errors; an `AnnotationError` if one of its sentences does not name the file.
    package static func read(_ format: FileFormat, at place: URL, reached: (Stage) -> Void = { _ in }) throws {
        let path = place.path
        var set = AnnotationSet()
        switch format {
        case .labelme: set = AnnotationSet(labelme: [path])
        case .labelStudio: set = try AnnotationSet(labelStudio: path)
        case .cvat: set = try AnnotationSet(cvat: path)
        case .yolo: set.addYOLO(path, picture: "photo.png", names: (0..<80).map { "class \($0)" })
        default: set = try AnnotationSet(coco: path)
        }
        reached(.refusedLater)
        if let unnamed = set.problems.first(where: { !$0.contains(place.lastPathComponent) }) {
            throw AnnotationError("a problem does not name its file: \(unnamed)")
        }
        if set.pictures.contains(where: { !$0.annotations.isEmpty }) { reached(.decoded) }
        var painted = 0
        for picture in set.pictures {
            let (width, height) = (picture.width ?? 16, picture.height ?? 12)
            let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
            // No file has the other sizes.
            guard !overflow, width > 0, height > 0, pixels <= mostPixels else { continue }
            _ = try picture.labelMap(width: width, height: height, unlabelled: 255, void: 254)
            painted += picture.annotations.count
        }
        if painted > 0 { reached(.ran) }
    }
}
