public import SegNetImages

/// The contents of annotation files: which label is where in which picture.
public struct AnnotationSet: Sendable {
    /// A label, as a file names it.
    public struct Label: Sendable, Hashable {
        public var name: String
        /// The colour in which the file's program shows it, if the file says so.
        public var color: Color?

        public init(_ name: String, _ color: Color? = nil) {
            self.name = name
            self.color = color
        }
    }

    /// In the order in which files name them. `Annotation.label` is an index of this list.
    public var labels: [Label] = []
    public var pictures: [AnnotatedPicture] = []
    /// Errors, in full sentences that begin with the file. What they are about is left out.
    public var problems: [String] = []
    /// Annotations that are left out because they say nothing about pixels, in the same form.
    public var notes: [String] = []

    public init() {}

    /// The index of a label, which is added if it is new.
    mutating func label(_ name: String, _ color: Color? = nil) -> Int {
        if let index = indices[name] {
            if labels[index].color == nil { labels[index].color = color }
            return index
        }
        indices[name] = labels.count
        labels.append(Label(name, color))
        return labels.count - 1
    }

    /// Indices of labels by name.
    private var indices: [String: Int] = [:]

    /// Adds the contents of other files. Labels with the same name become one.
    public mutating func append(_ other: AnnotationSet) {
        let numbers = other.labels.map { label($0.name, $0.color) }
        for var picture in other.pictures {
            picture.renumber(numbers)
            pictures.append(picture)
        }
        problems += other.problems
        notes += other.notes
    }

    /// Puts the labels into the order of their names: for files that have no order of their own.
    mutating func sortLabels() {
        let order = labels.indices.sorted { labels[$0].name < labels[$1].name }
        var numbers = [Int](repeating: 0, count: labels.count)
        for (new, old) in order.enumerated() { numbers[old] = new }
        labels = order.map { labels[$0] }
        indices = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1.name, $0) })
        for picture in pictures.indices { pictures[picture].renumber(numbers) }
    }
}

/// One labelled thing in a picture.
public struct Annotation: Sendable, Hashable {
    public enum Shape: Sendable, Hashable {
        /// Closed polygons, in pixels. All that any of them encloses belongs to the thing.
        case polygons([[PixelPoint]])
        /// The same, as fractions of the picture's width and height.
        case relativePolygons([[PixelPoint]])
        /// A mask with its place in the picture.
        case runs(RunLengths, left: Int, top: Int)
        /// A mask whose runs go along its rows: the run lengths are those of the mask with rows and columns exchanged. Along columns there
        /// could be as many runs as pixels, however few there are in the file.
        case rows(RunLengths, left: Int, top: Int)
    }

    /// An index into `AnnotationSet.labels`. Below 0: the file declares that these pixels have no ground truth.
    public var label: Int
    public var shape: Shape

    public init(label: Int, shape: Shape) {
        self.label = label
        self.shape = shape
    }
}

/// A picture with its annotations.
public struct AnnotatedPicture: Sendable, Hashable {
    /// A PNG whose colours are segment numbers: red + 256 green + 65536 blue (COCO panoptic).
    public struct Segments: Sendable, Hashable {
        public var file: String
        /// The label of each segment's number.
        public var labels: [UInt32: Int]
    }

    /// The picture's file as the annotations name it.
    public var file: String
    /// The width according to the annotations; nil if they do not give it.
    public var width: Int?
    /// The height, likewise.
    public var height: Int?
    /// In the order in which they are painted: the last is on top.
    public var annotations: [Annotation] = []
    public var segments: Segments?
    /// The annotation file, for messages.
    public var source: String
    /// The split that the annotations name.
    public var split: String?

    public init(file: String, width: Int? = nil, height: Int? = nil, source: String) {
        self.file = file
        self.width = width
        self.height = height
        self.source = source
    }

    public static func == (one: Self, other: Self) -> Bool {
        (one.file, one.source, one.width, one.height, one.split)
            == (other.file, other.source, other.width, other.height, other.split)
            && one.annotations == other.annotations && one.segments == other.segments
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(file)
        hasher.combine(source)
    }

    /// How many polygons lie wholly outside the picture, so that they label nothing. (Masks that reach beyond it are errors.)
    /// - Parameters:
    ///   - width: The width of the picture's file, unless the annotations give it.
    ///   - height: Its height, likewise.
    package func annotationsOutside(width: Int, height: Int) -> Int {
        let size = PixelPoint(Double(self.width ?? width), Double(self.height ?? height))
        return annotations.count { annotation in
            switch annotation.shape {
            case .polygons(let rings): Self.lies(rings, outside: size)
            case .relativePolygons(let rings): Self.lies(rings, outside: PixelPoint(1, 1))
            case .runs, .rows: false
            }
        }
    }

    /// Whether polygons lie wholly on one side of a rectangle from 0, 0 to its lower right corner.
    private static func lies(_ rings: [[PixelPoint]], outside corner: PixelPoint) -> Bool {
        let points = rings.joined()
        return points.allSatisfy { $0.x <= 0 } || points.allSatisfy { $0.x >= corner.x }
            || points.allSatisfy { $0.y <= 0 } || points.allSatisfy { $0.y >= corner.y }
    }

    /// Gives labels new numbers. Those below 0 stay.
    mutating func renumber(_ numbers: [Int]) {
        for index in annotations.indices where annotations[index].label >= 0 {
            annotations[index].label = numbers[annotations[index].label]
        }
        if let segments { self.segments?.labels = segments.labels.mapValues { numbers[$0] } }
    }

    /// The number of each pixel's label.
    /// - Parameters:
    ///   - width: The width of the picture's file.
    ///   - height: Its height.
    ///   - unlabelled: The number for pixels that no annotation covers.
    ///   - void: The number for pixels that the file declares to have no ground truth.
    /// - Throws: `AnnotationError` if the annotations are for a picture of another size; `ImageError` if the file of segments cannot be
    ///   read.
    public func labelMap(width: Int, height: Int, unlabelled: UInt16, void: UInt16) throws -> LabelMap {
        if let own = self.width, let ownHeight = self.height, (own, ownHeight) != (width, height) {
            throw AnnotationError(
                "\(source): says that the picture \(file) is \(own)x\(ownHeight), but its file is \(width)x\(height). Annotate this file, or put "
                    + "the file that was annotated in its place."
            )
        }
        var canvas = try LabelCanvas(width: width, height: height, filledWith: unlabelled)
        if let segments { return try paint(segments, width: width, height: height, unlabelled) }
        for annotation in annotations {
            let number = annotation.label < 0 ? void : UInt16(clamping: annotation.label)
            switch annotation.shape {
            case .polygons(let polygons): for ring in polygons { canvas.fill([ring], with: number) }
            case .relativePolygons(let polygons):
                for ring in polygons {
                    canvas.fill([ring.map { PixelPoint($0.x * Double(width), $0.y * Double(height)) }], with: number)
                }
            case .runs(let runs, let left, let top):
                try check(runs.width, runs.height, at: left, top, in: canvas)
                canvas.fill(runs.mask, left: left, top: top, with: number)
            case .rows(let runs, let left, let top):
                try check(runs.height, runs.width, at: left, top, in: canvas)
                canvas.fill(runs.mask.transposed, left: left, top: top, with: number)
            }
        }
        return try canvas.labelMap()
    }

    /// Checked before a mask's pixels take memory: only the size of the picture's file is not just a number in the annotations.
    private func check(
        _ width: Int,
        _ height: Int,
        at left: Int,
        _ top: Int,
        in picture: LabelCanvas
    ) throws(AnnotationError) {
        guard left >= 0, top >= 0, left <= picture.width - width, top <= picture.height - height else {
            throw AnnotationError(
                "\(source): has a mask of \(width)x\(height) at \(left), \(top) in \(file), which reaches beyond the picture's "
                    + "\(picture.width)x\(picture.height). Export it again."
            )
        }
    }

    private func paint(_ segments: Segments, width: Int, height: Int, _ unlabelled: UInt16) throws -> LabelMap {
        let image = try Image(path: segments.file).rgb()
        guard (image.width, image.height) == (width, height) else {
            throw AnnotationError(
                "\(segments.file): is \(image.width)x\(image.height), but its picture \(file) is \(width)x\(height); the sizes have to be equal. "
                    + "Export it again."
            )
        }
        var ids: [UInt16] = []
        ids.reserveCapacity(width * height)
        for at in stride(from: 0, to: image.pixels.count, by: 3) {
            let number =
                UInt32(image.pixels[at]) | UInt32(image.pixels[at + 1]) << 8 | UInt32(image.pixels[at + 2]) << 16
            if number == 0 {
                ids.append(unlabelled)
                continue
            }
            guard let label = segments.labels[number] else {
                let (y, x) = (at / 3).quotientAndRemainder(dividingBy: width)
                throw AnnotationError(
                    "\(segments.file): has the segment \(number) at x \(x), y \(y), which \(source) does not list; export both again."
                )
            }
            ids.append(UInt16(clamping: label))
        }
        return try LabelMap(width: width, height: height, ids: ids)
    }
}
