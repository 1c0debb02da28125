/// A mask of Label Studio's brush: bytes of red, green, blue and alpha, packed as bits.
///
/// Source: `rle-pack` of thi.ng/umbrella, as `label_studio_sdk.converter.brush` reads it. The header is 32 bits for the number of words, 5
/// for their size less 1, and four times 4 for the sizes of run lengths, less 1. Then come runs: one bit for "all are equal", two for
/// which of the sizes the length has, the length less 1, and the word or the words.
enum LabelStudioRuns {
    /// - Returns: The pixels whose alpha is above 0, row after row: run lengths of the mask with rows and columns exchanged. They take
    ///   memory by what is packed, not by the size that the file states.
    static func rows(_ packed: [Int], width: Int, height: Int) throws(AnnotationError) -> RunLengths {
        guard width > 0, height > 0, width <= 1 << 28 / height else {
            throw AnnotationError("has a brush of \(width)x\(height), which fits in no picture. Export it again.")
        }
        guard packed.allSatisfy({ 0...255 ~= $0 }) else {
            throw AnnotationError("has a brush with numbers that are not bytes. Export it again.")
        }
        var bits = BitReader(bytes: packed)
        let count = try bits.read(32)
        guard count == 4 * width * height else {
            throw AnnotationError(
                "has a brush of \(count) bytes, but \(width)x\(height) needs \(4 * width * height); the two have to be equal. Export it again."
            )
        }
        let wordSize = try bits.read(5) + 1
        var sizes: [Int] = []
        for _ in 0..<4 { sizes.append(try bits.read(4) + 1) }
        var runs = Runs()
        var at = 0
        while at < count {
            let isRun = try bits.read(1) == 1
            let size = sizes[try bits.read(2)]
            let end = at + 1 + (try bits.read(size))
            guard end <= count else {
                throw AnnotationError("has a brush whose runs reach beyond the picture. Export it again.")
            }
            while at < end {
                let isSet = try bits.read(wordSize) > 0
                let next = isRun ? end : at + 1
                // The pixels whose alpha is among these bytes.
                runs.add(next / 4 - at / 4, isInside: isSet)
                at = next
            }
        }
        return try RunLengths(width: height, height: width, counts: runs.counts)
    }

    /// Alternating lengths, the first of pixels outside.
    private struct Runs {
        private(set) var counts = [0]

        mutating func add(_ count: Int, isInside: Bool) {
            if count == 0 { return }
            if counts.count.isMultiple(of: 2) == isInside {
                counts[counts.count - 1] += count
            } else {
                counts.append(count)
            }
        }
    }

    private struct BitReader {
        let bytes: [Int]
        private var at = 0

        init(bytes: [Int]) { self.bytes = bytes }

        /// - Parameter count: At most 32.
        mutating func read(_ count: Int) throws(AnnotationError) -> Int {
            guard at + count <= bytes.count * 8 else {
                throw AnnotationError("has a brush that ends too early. Export it again.")
            }
            var number = 0
            for _ in 0..<count {
                number = number << 1 | (bytes[at >> 3] >> (7 - at & 7) & 1)
                at += 1
            }
            return number
        }
    }
}
