import SegNetImages

/// How often each class occurs in a split: what class weights come from.
public struct ClassFrequencies: Sendable, Hashable {
    /// Labelled pixels of each class.
    public private(set) var pixels: [Int]
    /// Pictures that show the class.
    public private(set) var pictures: [Int]
    /// All pixels, those without label included, of the pictures that show the class.
    public private(set) var pixelsOfPictures: [Int]
    /// Pixels without label.
    public private(set) var ignoredPixels = 0
    /// Pictures counted.
    public private(set) var pictureCount = 0

    public init(classCount: Int) {
        pixels = Array(repeating: 0, count: classCount)
        pictures = pixels
        pixelsOfPictures = pixels
    }

    /// All pixels, those without label included.
    private var allPixels: Int { pixels.reduce(ignoredPixels, +) }

    /// Counts a picture's labels.
    public mutating func add(_ labels: [UInt16]) {
        var counts = [Int](repeating: 0, count: pixels.count)
        for id in labels {
            if Int(id) < counts.count { counts[Int(id)] += 1 } else { ignoredPixels += 1 }
        }
        for (id, count) in counts.enumerated() where count > 0 {
            pixels[id] += count
            pictures[id] += 1
            pixelsOfPictures[id] += labels.count
        }
        pictureCount += 1
    }

    /// Median frequency balancing: w_c = median(f) / f_c with f_c = pixels of c / pixels of all pictures that show c, the median over the
    /// classes that occur. A class that never occurs gets 0: nothing can be learnt about it.
    ///
    /// Source: Eigen and Fergus, arXiv 1411.4734; docs/segnet.md, Class weights.
    public var medianFrequencyWeights: [Float] {
        Self.medianWeights(zip(pixels, pixelsOfPictures).map { $1 > 0 ? Double($0) / Double($1) : 0 })
    }

    /// The same over a pool of data sets: the pixels of all pictures of a source together count for its share of a batch, whatever the
    /// size of its pictures, since crops of one size are learnt.
    ///
    /// A class counts in the sources that can name it; only if it occurs in none of them, in those where it occurs all the same.
    /// - Parameter parts: Each source's frequencies, its share, and the classes that its labels can name (nil: all).
    public static func medianFrequencyWeights(
        of parts: [(frequencies: ClassFrequencies, share: Double, namedClasses: [Int]?)]
    ) -> [Float] {
        guard let first = parts.first else { return [] }
        guard parts.count > 1 else { return first.frequencies.medianFrequencyWeights }
        func frequency(_ id: Int, _ isCounted: ([Int]?) -> Bool) -> Double {
            var (own, all) = (0.0, 0.0)
            for part in parts where isCounted(part.namedClasses) && part.frequencies.pixels.indices.contains(id) {
                let each = part.share / Double(max(1, part.frequencies.allPixels))
                own += each * Double(part.frequencies.pixels[id])
                all += each * Double(part.frequencies.pixelsOfPictures[id])
            }
            return all > 0 ? own / all : 0
        }
        return medianWeights(
            first.frequencies.pixels.indices.map { id in
                let named = frequency(id) { $0?.contains(id) ?? true }
                return named > 0 ? named : frequency(id) { _ in true }
            }
        )
    }

    private static func medianWeights(_ frequencies: [Double]) -> [Float] {
        let sorted = frequencies.filter { $0 > 0 }.sorted()
        guard !sorted.isEmpty else { return frequencies.map { _ in 0 } }
        let middle = sorted.count / 2
        let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        return frequencies.map { $0 > 0 ? Float(median / $0) : 0 }
    }
}

/// Class weights by name.
public enum ClassWeights {
    /// The eleven of the authors' prototxts, for CamVid's 11 classes in their order. They come from the first release of the labels;
    /// SignSymbol's is 2.5 times what today's labels give (docs/segnet.md, Class weights).
    public static let authors: [Float] = [
        0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614,
    ]
}

extension Dataset {
    /// Counts the labels of a split.
    /// - Parameter progress: Called after each picture with its number.
    public func frequencies(of samples: [Sample], progress: ((Int) -> Void)? = nil) throws -> ClassFrequencies {
        var result = ClassFrequencies(classCount: classes.classes.count)
        for (number, sample) in samples.enumerated() {
            switch sample.source {
            case .files(_, let label): result.add(try ids(label).ids)
            case .annotated(let image, let annotated, let labels):
                let header = try PictureHeader(path: image)
                result.add(try ids(annotated, labels, width: header.width, height: header.height))
            case .street: result.add(try example(sample).labels)
            }
            progress?(number + 1)
        }
        return result
    }
}
