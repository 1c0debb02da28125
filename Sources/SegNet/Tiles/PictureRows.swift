internal import SegNetImages

/// A picture that is read by rows, from top to bottom, and need not be in memory.
package protocol PictureRows {
    /// Pixels in a row.
    var width: Int { get }
    /// Rows.
    var height: Int { get }
    /// Some of its rows as a picture.
    func picture(_ rows: Range<Int>) throws -> MultichannelImage
}

/// A picture that is in memory.
struct PictureInMemory: PictureRows {
    let picture: MultichannelImage

    var width: Int { picture.width }
    var height: Int { picture.height }

    func picture(_ rows: Range<Int>) throws -> MultichannelImage { try picture.cropped(columns: 0..<width, rows: rows) }
}

/// A TIFF from which only the needed rows are read.
package struct TIFFRows: PictureRows {
    package let file: TIFFFile

    package init(_ file: TIFFFile) { self.file = file }

    package var width: Int { file.width }
    package var height: Int { file.height }

    package func picture(_ rows: Range<Int>) throws -> MultichannelImage {
        MultichannelImage(
            try Image(width: width, height: rows.count, channels: file.channels, pixels: try file.rows(rows))
        )
    }
}

extension MultichannelImage {
    /// A part of the picture.
    func cropped(columns: Range<Int>, rows: Range<Int>) throws -> MultichannelImage {
        let image = try image.map { image in
            let (row, first, count) = (
                image.width * image.channels, columns.lowerBound * image.channels, columns.count * image.channels
            )
            let pixels = [UInt8](unsafeUninitializedCapacity: count * rows.count) { target, done in
                image.pixels.withUnsafeBufferPointer { source in
                    for (index, y) in rows.enumerated() {
                        let line = UnsafeBufferPointer(rebasing: source[y * row + first..<y * row + first + count])
                        _ = UnsafeMutableBufferPointer(rebasing: target[index * count..<(index + 1) * count])
                            .update(from: line)
                    }
                }
                done = count * rows.count
            }
            return try Image(width: columns.count, height: rows.count, channels: image.channels, pixels: pixels)
        }
        let planes = try planes.mapValues { plane in
            let samples = rows.flatMap { y in
                plane.samples[y * plane.width + columns.lowerBound..<y * plane.width + columns.upperBound]
            }
            return try Plane(width: columns.count, height: rows.count, samples: samples)
        }
        return try MultichannelImage(image, planes)
    }
}
