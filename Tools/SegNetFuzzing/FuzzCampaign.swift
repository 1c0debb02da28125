/// A sequence of damaged files, each a function of the seed and its number alone: file 4711 can be made again without the
/// 4711 before it, in another process.
///
/// Kinds take turns (a third each), then formats, so that any prefix is balanced too.
public struct FuzzCampaign: Sendable {
    public let seed: UInt64
    /// The formats in turn: those of which there is a good file.
    public let formats: [FileFormat]
    private let goodFiles: [FileFormat: [GoodFile]]

    /// - Parameters:
    ///   - goodFiles: At least one; formats without a good file are left out.
    ///   - seed: Another seed gives other files.
    public init(goodFiles: [GoodFile], seed: UInt64) {
        self.seed = seed
        self.goodFiles = Dictionary(grouping: goodFiles.filter { !$0.bytes.isEmpty }, by: \.format)
        self.formats = FileFormat.allCases.filter { format in goodFiles.contains { $0.format == format } }
    }

    /// Format and kind of the damaged file with this number, without making it; nil without good files.
    public func turn(at index: Int) -> (format: FileFormat, kind: MutationKind)? {
        let kinds = MutationKind.allCases
        guard index >= 0, !formats.isEmpty else { return nil }
        return (formats[index / kinds.count % formats.count], kinds[index % kinds.count])
    }

    /// The damaged file with this number; nil without good files. It always differs from the good file it was made from.
    public func file(at index: Int) -> MutatedFile? {
        guard let (format, kind) = turn(at: index) else { return nil }
        var random = FuzzRandom(seed: seed, stream: UInt64(index))
        let candidates = goodFiles[format] ?? []
        guard let good = random.pick(candidates) else { return nil }
        let mutator = format.mutator
        var bytes = good.bytes
        // Mostly one change: several at once are refused at the first, and what lies behind it is never reached.
        for _ in 0..<(random.oneIn(4) ? 2 + random.below(3) : 1) {
            switch kind {
            case .structure: bytes = mutator.changeStructure(bytes, &random)
            case .length: bytes = changeLength(bytes, others: candidates, &random)
            case .payload: bytes = mutator.changePayload(bytes, &random)
            }
        }
        // A swap of two equals changes nothing: draw again, a few times.
        for _ in 0..<20 where bytes == good.bytes {
            switch kind {
            case .structure: bytes = mutator.changeStructure(bytes, &random)
            case .length: bytes = changeLength(bytes, others: candidates, &random)
            case .payload: bytes = mutator.changePayload(bytes, &random)
            }
        }
        if bytes == good.bytes { bytes.append(random.byte()) }
        return MutatedFile(index: index, format: format, kind: kind, origin: good.name, bytes: bytes)
    }

    private func changeLength(_ bytes: [UInt8], others: [GoodFile], _ random: inout FuzzRandom) -> [UInt8] {
        let place = random.below(bytes.count + 1)
        let run = 1 + random.below(random.oneIn(4) ? 4096 : 16)
        let head = Array(bytes[..<place])
        let tail = Array(bytes[place...])
        switch random.below(8) {
        case 0: return head
        case 1: return Array(bytes.dropLast(run))
        case 2: return bytes + random.bytes(run)
        case 3: return bytes + tail
        case 4: return head + random.bytes(run) + tail
        case 5: return head + Array(tail.dropFirst(run))
        case 6: return head + Array(tail.prefix(run)) + tail
        default:
            // Splice: the start of this file, the end of another.
            let other = random.pick(others)?.bytes ?? bytes
            return head + Array(other.dropFirst(random.oneIn(2) ? place : random.below(other.count + 1)))
        }
    }
}
