import SegNetImages

extension Dataset {
    /// The size of a sample's picture and labels, from the headers of its files; nothing is decoded. It is that of the files, also where
    /// the data set resizes examples.
    /// - Throws: `ImageError` if a file cannot be read; `DatasetError` if its files have different sizes.
    public func fileSize(of sample: Sample) throws -> (width: Int, height: Int) {
        switch sample.source {
        case .street: return size ?? (480, 360)
        case .annotated(let image, _, _):
            let header = try PictureHeader(path: image)
            return (header.width, header.height)
        case .files(let images, let label):
            var found: PictureHeader?
            for (index, path) in images.enumerated() {
                let header = try PictureHeader(path: path)
                if let found, (found.width, found.height) != (header.width, header.height) {
                    throw Self.sizeError(path, (header.width, header.height), images[0], (found.width, found.height))
                }
                if index == 0 { found = header }
            }
            let labels = try PictureHeader(path: label)
            guard let found else { return (labels.width, labels.height) }
            try Self.checkSize(ofLabels: label, (labels.width, labels.height), images[0], (found.width, found.height))
            return (found.width, found.height)
        }
    }

    /// Refuses labels of another size than their picture's.
    static func checkSize(
        ofLabels label: String,
        _ labels: (Int, Int),
        _ image: String,
        _ picture: (Int, Int)
    ) throws(DatasetError) {
        guard labels != picture else { return }
        throw DatasetError(
            "\(label): is \(labels.0)x\(labels.1), its picture \(image) is \(picture.0)x\(picture.1); labels must have the picture's size. "
                + "Export them again."
        )
    }

    private static func sizeError(_ path: String, _ size: (Int, Int), _ first: String, _ firstSize: (Int, Int))
        -> DatasetError
    {
        DatasetError(
            "\(path): is \(size.0)x\(size.1), \(first) is \(firstSize.0)x\(firstSize.1); all pictures of a sample must have one size."
        )
    }

    /// The first classes that the labels of some samples show, at most two; of a set that can be learnt from, the first sample shows them.
    /// - Returns: Their ids, and whether there were pixels without ground truth on the way.
    /// - Throws: As reading labels does.
    package func firstClasses(of samples: [Sample]) throws -> (ids: Set<Int>, hasVoid: Bool) {
        var ids: Set<Int> = []
        var hasVoid = false
        for sample in samples {
            let frequencies = try frequencies(of: [sample])
            ids.formUnion(frequencies.pixels.indices.filter { frequencies.pixels[$0] > 0 })
            hasVoid = hasVoid || frequencies.ignoredPixels > 0
            if ids.count > 1 { break }
        }
        return (ids, hasVoid)
    }
}
