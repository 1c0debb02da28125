internal import CSegNetCodecs

/// One channel of 16-bit samples, such as depth, infrared or height, for which eight bits are too few.
///
/// Samples have the units of pictures, in finer steps: 65535 corresponds to 255, and one step of 8 bits is 257. An
/// 8-bit file and the same file saved with 16 bits are equal, and a depth in millimetres keeps each of them.
public struct Plane: Sendable, Hashable {
    /// One step of a picture's 8 bits.
    public static let step = 257

    /// Pixels in a row, at least 1.
    public let width: Int
    /// Rows, at least 1.
    public let height: Int
    /// [height, width]
    public let samples: [UInt16]

    /// - Throws: `ImageError` if the count of samples is not width x height.
    public init(width: Int, height: Int, samples: [UInt16]) throws(ImageError) {
        try Image.checkSize(width: width, height: height, channels: 1)
        guard samples.count == width * height else {
            throw ImageError(nil, .impossibleShape(width: width, height: height, channels: 1, values: samples.count))
        }
        self.init(uncheckedWidth: width, height: height, samples: samples)
    }

    init(uncheckedWidth width: Int, height: Int, samples: [UInt16]) {
        self.width = width
        self.height = height
        self.samples = samples
    }

    /// The gray values of a picture.
    public init(_ image: Image) {
        self.init(
            uncheckedWidth: image.width,
            height: image.height,
            samples: image.gray().pixels.map { UInt16($0) * UInt16(Self.step) }
        )
    }

    /// Reads a picture file: the unchanged samples of a gray PNG or TIFF with 16 bits, the gray value of other files.
    /// - Throws: `ImageError` naming the file.
    public init(path: String, limits: DecodingLimits = DecodingLimits()) throws(ImageError) {
        if TIFFFile.isTIFF(path: path) {
            let file = try TIFFFile(path: path)
            // 1: black is zero.
            if file.info.bits == 16, file.info.photometric == 1, let numbers = try file.numbers(limits) {
                let stored = LabelMap(uncheckedWidth: file.width, height: file.height, ids: numbers)
                let seen = stored.turned(file.orientation)
                self.init(uncheckedWidth: seen.width, height: seen.height, samples: seen.ids)
            } else {
                self.init(try file.image(limits))
            }
            return
        }
        let bytes = try FileAccess.read(path, limit: limits.maximumFileBytes)
        do throws(ImageError) {
            let deep = try ByteReader.read(bytes) { (file) throws(ImageError) -> Plane? in
                guard try PictureFormat(of: file) == .png else { return nil }
                let header = try PNGHeader(file)
                guard header.bitDepth == 16, header.colorType == 0 || header.colorType == 4 else { return nil }
                let (width, height, numbers) = try PNG.decodeNumbers(file, limits: limits)
                return Plane(uncheckedWidth: width, height: height, samples: numbers)
            }
            if let deep {
                self = deep
            } else {
                self.init(try Image(decoding: bytes, name: path, limits: limits))
            }
        } catch {
            throw error.of(file: path)
        }
    }

    /// Writes the samples as a gray PNG of 16 bits, under a temporary name, and renames it.
    public func write(path: String) throws(ImageError) {
        let bytes: [UInt8]
        do throws(ImageError) {
            bytes = try samples.withUnsafeBufferPointer { (samples) throws(ImageError) in
                try PNG.encode(samples, width: width, height: height, colorType: 0)
            }
        } catch {
            throw error.of(file: path)
        }
        try FileAccess.write(bytes, to: path)
    }

    /// The plane in another size, bilinearly, with pixel centres at half coordinates, as in `Image.resized`.
    /// - Throws: `ImageError` if a side is below 1 or the plane would have more than 2^31 samples.
    public func resized(width newWidth: Int, height newHeight: Int) throws(ImageError) -> Plane {
        try Image.checkSize(width: newWidth, height: newHeight, channels: 1)
        if newWidth == width, newHeight == height { return self }
        let across = BilinearAxis(from: width, to: newWidth)
        let down = BilinearAxis(from: height, to: newHeight)
        var result: [UInt16] = []
        result.reserveCapacity(newWidth * newHeight)
        samples.withUnsafeBufferPointer { samples in
            for y in 0..<newHeight {
                let (above, below) = (down.first[y] * width, down.second[y] * width)
                let lower = UInt64(down.weight[y])
                for x in 0..<newWidth {
                    let (left, right, weight) = (across.first[x], across.second[x], UInt64(across.weight[x]))
                    let top = UInt64(samples[above + left]) * (2048 - weight) + UInt64(samples[above + right]) * weight
                    let bottom =
                        UInt64(samples[below + left]) * (2048 - weight) + UInt64(samples[below + right]) * weight
                    result.append(UInt16((top * (2048 - lower) + bottom * lower + (1 << 21)) >> 22))
                }
            }
        }
        return Plane(uncheckedWidth: newWidth, height: newHeight, samples: result)
    }

    /// The plane as a gray picture, to be looked at: rounded to 8 bits.
    public var image: Image {
        Image(
            uncheckedWidth: width,
            height: height,
            channels: 1,
            pixels: samples.map { UInt8((Int($0) + Self.step / 2) / Self.step) }
        )
    }
}
