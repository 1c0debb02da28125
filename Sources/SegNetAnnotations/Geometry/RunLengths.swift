/// A mask as COCO writes it: alternating runs of pixels outside and inside, column after column from the upper left corner.
///
/// Source: `maskApi.c` of pycocotools. Its text form has six bits per letter, counted from `0`: five bits of a number, the least
/// significant first, and a sixth bit which says that more follow. From the fourth number on, what is written is the difference from the
/// number two places earlier.
public struct RunLengths: Sendable, Hashable {
    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// Lengths of the runs; the first is of pixels outside and may be 0. Their sum is width x height.
    public let counts: [Int]

    /// - Throws: `AnnotationError` if a length is below 0 or their sum is not the number of the picture's pixels.
    public init(width: Int, height: Int, counts: [Int]) throws(AnnotationError) {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width >= 0, height >= 0, !overflow, pixels <= 1 << 31 else {
            throw AnnotationError(
                "has run lengths for a picture of \(width)x\(height); sides have to be 0 or more, with at most 2^31 pixels in all."
            )
        }
        var sum = 0
        for count in counts {
            guard count >= 0 else {
                throw AnnotationError("has the run length \(count); run lengths are 0 or more. Export it again.")
            }
            let (next, overflow) = sum.addingReportingOverflow(count)
            guard !overflow, next <= pixels else {
                throw AnnotationError(
                    "has run lengths of more than the \(pixels) pixels of \(width)x\(height); they reach beyond the picture. Export it again."
                )
            }
            sum = next
        }
        guard sum == pixels else {
            throw AnnotationError(
                "has run lengths of \(sum) pixels, but \(width)x\(height) has \(pixels); the two have to be equal. Export it again."
            )
        }
        self.width = width
        self.height = height
        self.counts = counts
    }

    /// Reads the text form.
    /// - Throws: `AnnotationError` as `init(width:height:counts:)` does, and if a letter is not one of the form's or the text ends within a
    ///   number.
    public init(width: Int, height: Int, compressed text: String) throws(AnnotationError) {
        var counts: [Int] = []
        var (number, bits) = (0, 0)
        for letter in text.utf8 {
            guard (48..<112).contains(letter), bits <= 55 else {
                throw AnnotationError("has run lengths that are not in COCO's compressed form. Export it again.")
            }
            let part = Int(letter) - 48
            number |= (part & 0x1F) << bits
            bits += 5
            guard part & 0x20 == 0 else { continue }
            if part & 0x10 != 0 { number |= -1 << bits }
            let earlier = counts.count > 2 ? counts[counts.count - 2] : 0
            counts.append(number &+ earlier)
            (number, bits) = (0, 0)
        }
        guard bits == 0 else {
            throw AnnotationError("has compressed run lengths that end within a number. Export it again.")
        }
        try self.init(width: width, height: height, counts: counts)
    }

    /// The runs of a mask.
    public init(_ mask: BinaryMask) {
        var counts: [Int] = []
        var (isInside, length) = (false, 0)
        for x in 0..<mask.width {
            for y in 0..<mask.height {
                let flag = mask.flags[y * mask.width + x]
                if flag != isInside {
                    counts.append(length)
                    (isInside, length) = (flag, 0)
                }
                length += 1
            }
        }
        counts.append(length)
        width = mask.width
        height = mask.height
        self.counts = counts
    }

    /// The runs of a mask that is a part of a larger picture and has all that is inside.
    /// - Parameters:
    ///   - left: The picture's column in which the mask's first column lies.
    ///   - top: The same for rows.
    ///   - width: Pixels in a row of the picture, at least `left` + the mask's.
    ///   - height: Rows of the picture, at least `top` + the mask's.
    init(_ mask: BinaryMask, left: Int, top: Int, width: Int, height: Int) {
        var counts: [Int] = []
        // Where the last run of pixels inside has ended.
        var end = 0
        for x in 0..<mask.width {
            for y in 0..<mask.height where mask.flags[y * mask.width + x] {
                let at = (left + x) * height + top + y
                if at == end, !counts.isEmpty { counts[counts.count - 1] += 1 } else { counts += [at - end, 1] }
                end = at + 1
            }
        }
        if end < width * height || counts.isEmpty { counts.append(width * height - end) }
        self.width = width
        self.height = height
        self.counts = counts
    }

    /// The text form.
    public var compressed: String {
        var letters: [UInt8] = []
        for (index, count) in counts.enumerated() {
            var number = index > 2 ? count - counts[index - 2] : count
            var isMore = true
            while isMore {
                let part = number & 0x1F
                number >>= 5
                isMore = part & 0x10 != 0 ? number != -1 : number != 0
                letters.append(UInt8(48 + part + (isMore ? 0x20 : 0)))
            }
        }
        return String(decoding: letters, as: UTF8.self)
    }

    /// The pixels.
    public var mask: BinaryMask {
        var flags = [Bool](repeating: false, count: width * height)
        var (isInside, at) = (false, 0)
        for count in counts {
            if isInside {
                for place in at..<at + count {
                    let (x, y) = place.quotientAndRemainder(dividingBy: height)
                    flags[y * width + x] = true
                }
            }
            at += count
            isInside.toggle()
        }
        return BinaryMask(width: width, height: height, checked: flags)
    }

    /// How many pixels are inside.
    public var area: Int { stride(from: 1, to: counts.count, by: 2).reduce(0) { $0 + counts[$1] } }
}
