import SegNetImages
public import SegNetPlatform

extension PictureSize {
    /// That of CamVid's pictures as SegNet's authors ship them, and of rendered streets.
    package static let camVid = PictureSize(width: 480, height: 360)
}

extension Dataset {
    /// The size of a sample's picture and labels, from the headers of its files; nothing is decoded. It is that of the files, also where
    /// the data set resizes examples.
    /// - Throws: `ImageError` if a file cannot be read; `DatasetError` if its files have different sizes.
    public func fileSize(of sample: Sample) throws -> PictureSize {
        switch sample.source {
        case .street: return size ?? .camVid
        case .annotated(let image, _, _):
            return try PictureHeader(path: image).size
        case .files(let images, let label):
            var found: PictureSize?
            for path in images {
                let size = try PictureHeader(path: path).size
                if let found, found != size { throw Self.sizeError(path, size, images[0], found) }
                found = size
            }
            let labels = try PictureHeader(path: label).size
            guard let found else { return labels }
            try Self.checkSize(ofLabels: label, labels, images[0], found)
            return found
        }
    }

    /// Refuses labels of another size than their picture's.
    static func checkSize(
        ofLabels label: String,
        _ labels: PictureSize,
        _ image: String,
        _ picture: PictureSize
    ) throws(DatasetError) {
        guard labels != picture else { return }
        throw DatasetError(
            "\(label): is \(labels), but its picture \(image) is \(picture); labels must have the picture's size. "
                + "Export them again."
        )
    }

    private static func sizeError(_ path: String, _ size: PictureSize, _ first: String, _ firstSize: PictureSize)
        -> DatasetError
    {
        DatasetError("\(path): is \(size), but \(first) is \(firstSize); all pictures of a sample must have one size.")
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
