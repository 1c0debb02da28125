import SegNetImages
import Testing

/// Files that are almost good. Every one must give a picture or an error; a crash ends the test run.
@Suite("Mutated files")
struct MutationTests {
    static let names =
        (Goldens.allPNGs + Goldens.allPNGs.map { $0 + "-interlaced" }).map { $0 + ".png" }
        + Goldens.allJPEGs.map { $0 + ".jpg" } + ["orientation6.jpg"]

    /// Small limits keep a mutated size from costing seconds; the limits' own tests are elsewhere.
    static let limits = DecodingLimits(maximumPixels: 4_000_000, maximumMemory: 32 << 20)

    @Test("300 mutations of good files give a picture or an error that names the file", arguments: 0..<300)
    func mutations(number: Int) throws {
        var random = SplitMix64(state: UInt64(number))
        let name = Self.names[number % Self.names.count]
        var file = try Goldens.bytes(name)
        switch number % 3 {
        case 0: overwrite(&file, &random)
        case 1: changeLength(&file, &random)
        default: name.hasSuffix(".png") ? changeChunk(&file, &random) : overwrite(&file, &random)
        }
        for decode in [
            { _ = try Image(decoding: file, name: name, limits: Self.limits) },
            { _ = try LabelMap(decoding: file, name: name, limits: Self.limits) },
        ] {
            do {
                try decode()
            } catch let error as ImageError {
                #expect(error.file == name)
            }
        }
    }

    /// Up to eight bytes become others.
    private func overwrite(_ file: inout [UInt8], _ random: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            file[Int.random(in: file.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
    }

    /// A stretch is cut out, repeated, or filled in.
    private func changeLength(_ file: inout [UInt8], _ random: inout SplitMix64) {
        let start = Int.random(in: file.indices, using: &random)
        let end = Int.random(in: start..<file.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: file.removeSubrange(start..<end)
        case 1: file.insert(contentsOf: file[start..<end], at: end)
        default:
            let noise = (0..<50).map { _ in UInt8.random(in: 0...255, using: &random) }
            file.insert(contentsOf: noise, at: start)
        }
    }

    /// A byte of a PNG chunk's payload is changed and the checksum made right again, so that the change gets through.
    private func changeChunk(_ file: inout [UInt8], _ random: inout SplitMix64) {
        var chunks: [Range<Int>] = []
        var at = 8
        while at + 12 <= file.count {
            let length = file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            if length > 0 { chunks.append(at + 8..<at + 8 + length) }
            at += 12 + length
        }
        guard let payload = chunks.randomElement(using: &random) else { return }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            file[Int.random(in: payload, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        let sum = crc32(Array(file[payload.lowerBound - 4..<payload.upperBound]))
        file.replaceSubrange(payload.upperBound..<payload.upperBound + 4, with: bigEndian(Int(sum)))
    }
}
