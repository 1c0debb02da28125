/// What a JPEG's markers say before its first scan (ITU-T T.81, annex B), read before libjpeg-turbo sees the file, so
/// that limits are checked first.
struct JPEGHeader {
    let width: Int
    let height: Int

    /// 1 gray, 3 colour, 4 CMYK or YCCK.
    let components: Int

    /// Whether all coefficients are held until the last scan: progressive files, and baseline files of several scans.
    let isBuffered: Bool

    /// Bytes of those coefficients, 2 per sample.
    let coefficientBytes: Int

    /// How the camera was held, 1...8 (EXIF 2.3, tag 0x0112).
    let orientation: Orientation

    /// Where the first scan begins.
    let scanStart: Int

    /// - Throws: `damaged` if there is no picture in it.
    init(_ file: ByteReader) throws(ImageError) {
        var frame: Frame?
        var orientation: Orientation?
        var position = 2
        while let marker = Self.nextMarker(file, from: &position) {
            // Restart markers and TEM have no length; an end without a scan ends the search.
            if (0xD0...0xD8).contains(marker) || marker == 0x01 { continue }
            if marker == 0xD9 { break }
            guard let length = file.word(at: position), length >= 2 else { break }
            switch marker {
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                if frame != nil { throw Self.damaged("it has two frame headers") }
                frame = try Frame(file, at: position, length: length, isProgressive: marker & 3 == 2)
            case 0xE1:
                // The first EXIF block counts; later ones belong to embedded previews.
                if orientation == nil {
                    orientation = Orientation(exifSegment: file, at: position + 2, count: length - 2)
                }
            case 0xDA:
                guard let frame else { throw Self.damaged("its scan comes before its frame header") }
                let componentsInScan = Int(file.byte(at: position + 2) ?? 0)
                width = frame.width
                height = frame.height
                components = frame.components
                isBuffered = frame.isProgressive || componentsInScan < frame.components
                coefficientBytes = isBuffered ? frame.coefficientBytes : 0
                self.orientation = orientation ?? .upright
                scanStart = position
                return
            default: break
            }
            position += length
        }
        throw Self.damaged("it ends before its first scan")
    }

    private static func damaged(_ detail: String) -> ImageError {
        ImageError(nil, .damaged(format: "JPEG", detail: detail))
    }

    /// The next marker's code; `position` is then behind it. Stray bytes and fill bytes are skipped, as decoders do.
    private static func nextMarker(_ file: ByteReader, from position: inout Int) -> UInt8? {
        while let byte = file.byte(at: position) {
            position += 1
            guard byte == 0xFF else { continue }
            while file.byte(at: position) == 0xFF { position += 1 }
            guard let code = file.byte(at: position) else { return nil }
            position += 1
            if code != 0 { return code }
        }
        return nil
    }

    /// A frame header (B.2.2).
    private struct Frame {
        let width: Int
        let height: Int
        let components: Int
        let isProgressive: Bool
        let coefficientBytes: Int

        init(_ file: ByteReader, at position: Int, length: Int, isProgressive: Bool) throws(ImageError) {
            guard let height = file.word(at: position + 3), let width = file.word(at: position + 5),
                let components = file.byte(at: position + 7).map({ Int($0) }), length >= 8 + 3 * components
            else { throw JPEGHeader.damaged("its frame header is cut short") }
            guard width > 0, height > 0 else {
                throw JPEGHeader.damaged("its header says \(width)x\(height) pixels")
            }
            guard [1, 3, 4].contains(components) else {
                throw JPEGHeader.damaged("it has \(components) components; 1, 3 and 4 are known")
            }
            var sampling: [(across: Int, down: Int)] = []
            for index in 0..<components {
                guard let factors = file.byte(at: position + 9 + 3 * index) else {
                    throw JPEGHeader.damaged("its frame header is cut short")
                }
                let (across, down) = (Int(factors >> 4), Int(factors & 15))
                guard (1...4).contains(across), (1...4).contains(down) else {
                    throw JPEGHeader.damaged("it has a sampling factor outside 1...4")
                }
                sampling.append((across, down))
            }
            let unitWidth = 8 * (sampling.map(\.across).max() ?? 1)
            let unitHeight = 8 * (sampling.map(\.down).max() ?? 1)
            let units = ((width + unitWidth - 1) / unitWidth) * ((height + unitHeight - 1) / unitHeight)
            let blocks = sampling.reduce(0) { $0 + $1.across * $1.down } * units
            self.width = width
            self.height = height
            self.components = components
            self.isProgressive = isProgressive
            coefficientBytes = blocks * 64 * 2
        }
    }
}
